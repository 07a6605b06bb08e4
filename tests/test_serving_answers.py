"""The application in this process: what it answers, what it refuses, what it keeps."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import pendigit
from pendigit.commands import run
from pendigit.datasets import Dataset, load_dataset
from pendigit.errors import ImageError
from pendigit.frame import to_frame
from pendigit.models import shipped
from pendigit.reading.images import load_image
from pendigit.serving.settings import Settings
from serving_clients import GOLDEN, PICTURE, client_of, problem

PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server of this machine that keeps corrections."""
    store = tmp_path_factory.mktemp("kept") / "corrections.sqlite"
    with client_of(Settings(store=store, body_bytes=300_000)) as client:
        yield client


def test_predict_answers_what_the_reader_says(client: TestClient) -> None:
    found = client.post("/v1/predict?frame=true", content=PICTURE, headers=PNG).json()
    reader = pendigit.load_reader()
    expected = reader.predict_proba(load_image(PICTURE))[0]
    assert found["digit"] == expected.argmax()
    assert np.allclose(found["probabilities"], expected, atol=1e-6)
    assert found["probability"] == max(found["probabilities"])
    assert [other for other, _ in found["runners_up"]] == expected.argsort()[::-1][1:].tolist()
    frame = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["frame"]))))
    assert np.array_equal(frame, to_frame(load_image(PICTURE)))
    sure = reader.classifier.digitness(frame[None])
    assert sure is not None
    assert found["digitness"] == pytest.approx(float(sure[0]), abs=1e-6)
    assert "frame" not in client.post("/v1/predict", content=PICTURE).json()


def test_read_answers_what_the_command_line_prints(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", str(GOLDEN / "plain.png"), "--json"]) == 0
    (expected,) = json.loads(capsys.readouterr().out)
    found = client.post("/v1/read", files={"image": PICTURE}).json()
    assert found == {key: value for key, value in expected.items() if key != "source"} | {"page": 1, "pages": 1}
    assert found["text"] == "2"


def test_read_takes_the_command_lines_options(client: TestClient) -> None:
    left = client.post("/v1/read?region=0,0,10,10", content=PICTURE).json()
    assert left["rows"] == []
    wrong = client.post("/v1/read?region=0,0,9999,9999", content=PICTURE)
    assert "the region 0,0,9999,9999" in problem(wrong, 422, "picture")["detail"]
    drawn = client.post("/v1/read?drawn=true", content=PICTURE).json()
    assert drawn["text"] == "2"
    assert client.post("/v1/read?keep=.,-&model=classic", content=PICTURE).status_code == 200


def test_a_limit_on_the_error_is_kept_as_the_reader_keeps_it(client: TestClient) -> None:
    scribble = (GOLDEN / "noise.png").read_bytes()
    for content in (PICTURE, scribble):
        reading = pendigit.load_reader().read(content, max_error=0.01)
        found = client.post("/v1/read?max_error=0.01", content=content).json()
        assert (found["text"], found["kept"], found["max_error"]) == (reading.text, reading.kept, 0.01)
    (digit,) = pendigit.load_reader().digits(PICTURE, 0.01)
    found = client.post("/v1/predict?max_error=0.01", content=PICTURE).json()
    assert (found["text"], found["accepted"]) == (digit.text, digit.accepted)
    assert found["confidence"] == pytest.approx(digit.confidence, abs=1e-6)
    for route in ("/v1/read", "/v1/predict"):
        problem(client.post(f"{route}?max_error=1e-9", content=PICTURE), 422, "option")
        problem(client.post(f"{route}?max_error=0", content=PICTURE), 422, "option")


def test_a_documents_pages_are_read_one_by_one(client: TestClient) -> None:
    file = io.BytesIO()
    first, second = (Image.open(GOLDEN / name).convert("L") for name in ("plain.png", "blank.png"))
    first.save(file, "TIFF", save_all=True, append_images=[second])
    texts = []
    for number in (1, 2):
        found = client.post(f"/v1/read?page={number}", content=file.getvalue()).json()
        assert (found["page"], found["pages"]) == (number, 2)
        texts.append(found["text"])
    assert texts == ["2", ""]
    assert "page 3" in problem(client.post("/v1/read?page=3", content=file.getvalue()), 422, "picture")["seen"]


def test_many_at_once_get_their_own_answers(client: TestClient, mini: Dataset) -> None:
    from concurrent.futures import ThreadPoolExecutor

    frames = mini.x_test[:60]
    expected = pendigit.load_classifier().predict(frames)

    def ask(frame: np.ndarray) -> int:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "PNG")
        return int(client.post("/v1/predict", content=file.getvalue()).json()["digit"])

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, frames)) == expected.tolist()


def test_models_are_those_that_ship(client: TestClient) -> None:
    found = client.get("/v1/models").json()
    assert found["serving"] == "reader"
    assert found["models"].keys() == shipped().keys()
    classic = client.post("/v1/predict?model=classic", content=PICTURE).json()
    assert classic["digitness"] is None
    for name in ("other", "../reader", "/etc/passwd", str(shipped()["classic"])):
        assert "unknown model" in problem(client.post("/v1/predict", params={"model": name}), 422, "option")["seen"]


@pytest.mark.parametrize("route", ["/v1/predict", "/v1/read", "/v1/corrections?digit=3"])
def test_refusals_have_the_command_lines_words(client: TestClient, route: str) -> None:
    for content in (b"", b"no picture at all", PICTURE[: len(PICTURE) // 2]):
        found = problem(client.post(route, content=content), 422, "picture")
        assert found["detail"] == f"{found['seen']}; expected {found['expected']}; {found['do']}"
        if content:
            with pytest.raises(ImageError) as raised:
                load_image(content)
            assert found["detail"] == str(raised.value)


def test_options_that_do_not_exist_are_refused(client: TestClient) -> None:
    wrong = {
        "/v1/predict?frmae=1": "frmae",
        "/v1/predict?frame=perhaps": "frame",
        "/v1/read?region=1,2,3": "region",
        "/v1/read?keep=x": "keep",
        "/v1/read?page=0": "page",
        "/v1/corrections?digit=10": "digit",
        "/v1/corrections": "digit",
    }
    for route, name in wrong.items():
        assert name in problem(client.post(route, content=PICTURE), 422, "option")["seen"], route


def test_bodies_that_are_no_pictures_are_refused(client: TestClient) -> None:
    problem(client.post("/v1/predict", json={"image": "x"}), 415, "content")
    problem(client.post("/v1/predict", data={"image": "x"}), 415, "content")
    problem(client.post("/v1/predict", files={"other": PICTURE}), 422, "option")
    problem(client.post("/v1/predict", files={"image": PICTURE, "more": PICTURE}), 422, "option")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    problem(client.post("/v1/predict", content=b"--y\r\nnothing", headers=broken), 422, "option")
    no_boundary = {"Content-Type": "multipart/form-data"}
    problem(client.post("/v1/predict", content=b"--y\r\nnothing", headers=no_boundary), 422, "option")


def test_too_many_bytes_are_refused_whether_or_not_they_are_announced(client: TestClient) -> None:
    problem(client.post("/v1/predict", content=bytes(300_001)), 413, "too-large")
    problem(client.post("/v1/predict", content=iter([bytes(100_001)] * 3)), 413, "too-large")
    assert client.post("/v1/predict", content=PICTURE).status_code == 200


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    assert problem(client.get("/v1/nothing"), 404, "")["title"] == "Not Found"
    problem(client.get("/v1/predict"), 405, "")
    problem(client.get("/../pyproject.toml"), 404, "")


def test_corrections_are_kept_listed_shown_exported_and_forgotten(client: TestClient, tmp_path: Path) -> None:
    added = client.post("/v1/corrections?digit=3&box=20,15,54,55&read=2", content=PICTURE, headers=PNG)
    assert added.status_code == 201
    kept = added.json()
    assert (kept["digit"], kept["box"], kept["read"], kept["page"]) == (3, [20, 15, 54, 55], 2, 1)
    number = kept["id"]
    assert kept in client.get("/v1/corrections?digit=3").json()["corrections"]
    assert client.get(f"/v1/corrections/{number}").json() == kept
    crop = client.get(f"/v1/corrections/{number}/crop")
    assert crop.headers["content-type"] == "image/png"
    assert load_image(crop.content).shape == (52, 46)  # the box with a margin of 6
    archive = zipfile.ZipFile(io.BytesIO(client.get("/v1/corrections.zip").content))
    archive.extractall(tmp_path)
    assert load_dataset(tmp_path).y_train.tolist() == [3]
    assert client.delete(f"/v1/corrections/{number}").status_code == 204
    for response in (client.delete(f"/v1/corrections/{number}"), client.get(f"/v1/corrections/{number}/crop")):
        problem(response, 404, "unknown")
    assert client.get("/v1/corrections").json() == {"count": 0, "corrections": []}


def test_a_correction_that_cannot_be_trained_on_is_refused(client: TestClient) -> None:
    problem(client.post("/v1/corrections?digit=3&box=0,0,4,4", content=PICTURE), 422, "picture")
    problem(client.post("/v1/corrections?digit=3&box=0,0,900,4", content=PICTURE), 422, "picture")
    assert client.get("/v1/corrections").json()["count"] == 0


def test_no_answer_names_a_file(client: TestClient) -> None:
    here = str(Path(pendigit.__file__).parent)
    for response in (
        client.get("/v1/models"),
        client.post("/v1/read", content=b"broken"),
        client.post("/v1/predict?model=nothing", content=PICTURE),
        client.get("/v1/corrections"),
    ):
        assert here not in response.text
        assert ".sqlite" not in response.text
        assert "/root" not in response.text


def test_the_description_is_served_from_here_alone(client: TestClient) -> None:
    page = client.get("/docs/").text
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    for name in re.findall(r"(?:src|href)=\"([\w.-]+)\"", page):
        assert client.get(f"/docs/{name}").status_code == 200, name
    assert client.get("/docs").url.path == "/docs/"


def test_the_description_names_every_route_and_its_problems(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {path for _, path in operations} >= {"/v1/read", "/v1/predict", "/v1/models", "/v1/corrections", "/healthz"}
    for (method, path), operation in operations.items():
        assert operation["summary"]
        assert operation["description"], path
        assert all("description" in each for each in operation.get("parameters", [])), path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)
        if method == "post":
            assert operation["requestBody"]["required"]


def test_metrics_count_by_route_and_not_by_what_was_asked(client: TestClient) -> None:
    client.get("/v1/some/secret/name")
    client.post("/v1/predict", content=PICTURE)
    text = client.get("/metrics").text
    assert re.search(r'pendigit_requests_total\{method="POST",route="/v1/predict",status="200"\} [1-9]', text)
    assert re.search(r'pendigit_request_seconds_count\{route="/v1/predict"\} [1-9]', text)
    assert 'pendigit_waiting{lane="digits"} 0.0' in text
    assert "secret" not in text
