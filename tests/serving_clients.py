"""The application in this process, and what its refusals must look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pendigit.serving.app import make_app
from pendigit.serving.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
PICTURE = (GOLDEN / "plain.png").read_bytes()


def client_of(settings: Settings) -> TestClient:
    return TestClient(make_app(settings), base_url="http://localhost:8000", raise_server_exceptions=False)


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem that a response must be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["type"] == (f"urn:pendigit:problem:{kind}" if kind else "about:blank")
    return found
