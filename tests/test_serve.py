"""`pendigit serve` as a process: from its command to its end, over real connections."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pendigit.commands import run
from pendigit.serving.connection import connections

GOLDEN = Path(__file__).parent / "golden"
PICTURE = GOLDEN / "plain.png"
COMMAND = [sys.executable, "-c", "from pendigit.commands import main; main()", "serve", "--port", "0"]
READ = 'pendigit_requests_total{method="POST",route="/v1/read",status="200"}'
WAITING = 'pendigit_waiting{lane="pages"}'


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server and its port."""
    command = [*COMMAND, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"Serving at http://127\.0\.0\.1:(\d+) ", line)
        assert found, line
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving("--store", str(tmp_path_factory.mktemp("kept") / "store.sqlite")) as (_, port):
        yield port


def request(path: str, body: bytes, announced: int | None = None) -> bytes:
    length = len(body) if announced is None else announced
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode() + body


def counted(port: int, name: str) -> float:
    """One of the server's counts."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


def status_of(port: int, path: str, body: bytes) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_signal_lets_requests_under_way_finish() -> None:
    with serving("--no-store") as (process, port), ExitStack() as stack:
        *sockets, idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(4)
        ]
        for each in sockets:
            each.sendall(request("/v1/read", PICTURE.read_bytes()))
        while sum(counted(port, name) for name in (READ, WAITING)) < 3:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for each in sockets:
            assert each.recv(100_000).startswith(b"HTTP/1.1 200")
        assert idle.recv(100) == b""
        assert process.wait(timeout=20) == -signal.SIGTERM
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_taken_port_is_told_in_one_line(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", str(port), "--no-store"]) == 2
    assert capfd.readouterr().err.count("\n") == 1


def test_listening_for_all_is_refused_without_a_token(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", "0.0.0.0", "--port", "0", "--no-store"]) == 2
    assert "PENDIGIT_TOKEN" in capfd.readouterr().err


def test_endless_headers_end_the_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(OSError, match=r"reset|Broken"):
            line.sendall(b"X: yyyyyyyyyyyyyyyy\r\n" * 1_000_000)
    assert status_of(port, "/v1/predict", PICTURE.read_bytes()) == 200


def test_a_client_that_goes_away_leaves_nothing_behind(port: int) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.sendall(request("/v1/predict", b"half a picture", announced=5000))
    assert status_of(port, "/v1/predict", PICTURE.read_bytes()) == 200
    assert counted(port, 'pendigit_waiting{lane="digits"}') == 0


def test_the_command_line_reads_through_it(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", str(PICTURE), "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    assert run(["read", str(PICTURE), "--json", "--server", f"http://127.0.0.1:{port}"]) == 0
    assert json.loads(capsys.readouterr().out) == here
    assert run(["read", str(PICTURE), str(GOLDEN / "blank.png"), "--server", f"http://127.0.0.1:{port}/"]) == 0
    there = capsys.readouterr().out
    assert run(["read", str(PICTURE), str(GOLDEN / "blank.png")]) == 0
    assert there == capsys.readouterr().out


def test_what_the_server_refuses_is_told_like_what_is_refused_here(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(PICTURE.read_bytes()[:300])
    for more in ([], ["--server", f"http://127.0.0.1:{port}"]):
        assert run(["read", str(broken), str(PICTURE), *more]) == 3
        out, err = capsys.readouterr()
        assert out.splitlines()[-1] == "2"
        assert err.startswith(f"pendigit: {broken}")
        assert "cut off or damaged" in err
    assert run(["read", str(PICTURE), "--server", "http://127.0.0.1:9"]) == 9
    assert "cannot reach http://127.0.0.1:9" in capsys.readouterr().err
    assert run(["read", str(PICTURE), "--server", "ftp://x"]) == 2
    assert run(["read", str(PICTURE), "--region", "0,0,9000,9000", "--server", f"http://127.0.0.1:{port}"]) == 3
    assert "the region 0,0,9000,9000" in capsys.readouterr().err


@pytest.mark.parametrize("sent", [b"", b"GET / HT", request("/", b"half", announced=9)])
def test_a_request_that_does_not_end_is_cut_off(impatient: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as line:
        line.sendall(sent)
        with suppress(ConnectionResetError):
            assert line.recv(100) == b""
    assert status_of(impatient, "/", b"whole") == 200


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """A server that gives a request a moment to come in."""
    with counting(connections(0.5, 9)) as port:
        yield port


@contextmanager
def counting(protocol: type[HttpToolsProtocol]) -> Iterator[int]:
    """The port of a server that answers requests with their lengths."""
    import uvicorn

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(str(len(await Request(scope, receive).body())))(scope, receive, send)

    config = uvicorn.Config(app, port=0, http=protocol, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def test_connections_beyond_the_most_are_told_to_come_back() -> None:
    with counting(connections(30, 2)) as port, ExitStack() as stack:
        lines = [HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(3)]
        for line in lines:
            stack.callback(line.close)
        for line, status in ((lines[0], 200), (lines[1], 200), (lines[2], 503), (lines[0], 200)):
            line.request("POST", "/", b"x" * 300_000)
            response = line.getresponse()
            body = response.read()
            assert response.status == status
            if status == 503:
                assert response.headers["Retry-After"] == "1"
                assert json.loads(body)["type"] == "urn:pendigit:problem:busy"
        assert lines[2].sock is None, "that line was closed with its answer"


PROMISED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def test_every_route_keeps_to_its_description(port: int) -> None:
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    paths = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        paths.add(operation.path)

        @given(case=operation.as_strategy())
        @settings(max_examples=5, suppress_health_check=list(HealthCheck))
        def keeps_to_it(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=PROMISED, timeout=30)

        keeps_to_it()
    assert len(paths) >= 9
