"""What stands before the application: names, origins, the token, the policy of every answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from pendigit.errors import UsageError
from pendigit.serving.guard import Guard
from pendigit.serving.metrics import Metrics
from pendigit.serving.settings import Settings
from serving_clients import PICTURE, client_of, problem

TOKEN = "a token of some length"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A server of this machine."""
    with client_of(Settings()) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[TestClient]:
    """A server of a network, with a token, that keeps nothing."""
    settings = Settings(host="0.0.0.0", token=TOKEN, origins=("https://ok.example",), names=("digits.example",))
    with client_of(settings) as client:
        yield client


def test_without_the_token_there_is_nothing_but_the_page(guarded: TestClient) -> None:
    for path in ("/v1/models", "/metrics", "/v1/corrections", "/v1/nothing"):
        for given in (None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"):
            response = guarded.get(path, headers={"Authorization": given} if given else {})
            assert TOKEN not in problem(response, 401, "no-token")["detail"]
            assert response.headers["www-authenticate"] == "Bearer"
    assert guarded.get("/v1/models", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    for path in ("/", "/docs/", "/openapi.json", "/healthz"):
        assert guarded.get(path).status_code == 200, path


def test_a_server_that_keeps_nothing_says_so(guarded: TestClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    problem(guarded.get("/v1/corrections", headers=headers), 404, "unknown")
    problem(guarded.post("/v1/corrections?digit=1", headers=headers), 404, "unknown")
    assert guarded.get("/healthz").json() == {"status": "ok", "keeps_corrections": False, "needs_token": True}


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *(
            (name, True)
            for name in ("localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "192.168.1.7")
        ),
        *((name, True) for name in ("digits.example", "digits.example:443")),
        *(
            (name, False)
            for name in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost.")
        ),
    ],
)
def test_only_its_own_names_are_answered(guarded: TestClient, host: str, own: bool) -> None:
    assert guarded.get("/healthz", headers={"Host": host}).status_code == (200 if own else 403)


def test_other_sites_cannot_make_a_browser_write(client: TestClient) -> None:
    foreign: list[dict[str, str]] = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"},
    ]
    for headers in foreign:
        for method, path in (
            ("POST", "/v1/corrections?digit=2"),
            ("POST", "/v1/read"),
            ("DELETE", "/v1/corrections/1"),
        ):
            problem(client.request(method, path, content=PICTURE, headers=headers), 403, "foreign")
        assert "access-control-allow-origin" not in client.get("/v1/models", headers=headers).headers
    own = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/predict", content=PICTURE, headers=own).status_code == 200
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    assert client.options("/v1/corrections/1", headers=preflight).status_code == 403


def test_a_site_that_is_named_may_use_it(guarded: TestClient) -> None:
    headers = {"Origin": "https://ok.example", "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {TOKEN}"}
    answer = guarded.post("/v1/predict", content=PICTURE, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://ok.example"
    asked = {"Origin": "https://ok.example", "Access-Control-Request-Method": "POST"}
    assert guarded.options("/v1/predict", headers=asked).status_code == 200
    other = guarded.get("/v1/models", headers={"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"})
    assert "access-control-allow-origin" not in other.headers


def test_every_answer_carries_its_policy(client: TestClient) -> None:
    for path in ("/", "/docs/", "/v1/models", "/v1/nothing", "/healthz", "/v1/corrections/999"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert ("unsafe-inline" in policy) == path.startswith("/docs")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert client.get("/v1/models").headers["cache-control"] == "no-store"


def test_a_fault_is_a_problem_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("/home/somebody/secret")

    response = TestClient(Guard(broken, Settings(), Metrics()), base_url="http://localhost").get("/v1/models")
    assert "secret" not in problem(response, 500, "fault")["detail"]
    assert "/home/somebody/secret" in caplog.text


def test_listening_beyond_this_machine_needs_a_token() -> None:
    for host in ("0.0.0.0", "192.168.1.7", "::", "somewhere.example"):
        with pytest.raises(UsageError, match="without a token"):
            Settings(host=host)
        assert not Settings(host=host, token=TOKEN).is_local
        assert Settings(host=host, open=True).token is None
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        assert Settings(host=host).is_local
    with pytest.raises(UsageError, match="at least 16"):
        Settings(token="short")
