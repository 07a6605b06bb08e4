"""Joining a Ray cluster, or starting Ray on this machine."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pendigit.errors import UsageError
from pendigit.extras import load

REACH_SECONDS = 5.0  # for a first connection
SETTINGS = b"\4"  # the type of the frame that both ends of HTTP/2 begin with (RFC 9113)
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
STARTS = 3  # tries
ENVIRONMENT = {
    "RAY_gcs_rpc_server_connect_timeout_s": "10",  # for Ray's own connection, once something answers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray would warn of
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
QUIET = {"logging_level": logging.CRITICAL, "log_to_driver": False}


@contextmanager
def joined(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster's `host:port`, or started here for None; both end with this context.

    Raises:
        UsageError: No cluster answers at the address.
        MissingExtraError: The extra [ray] is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    ray = load("ray", "ray")
    if ray.is_initialized():  # within a program that uses Ray itself
        yield ray
        return
    with _without_chatter():
        if address is None:
            _start(lambda: ray.init(address="local", include_dashboard=False, **QUIET), ray.shutdown)
        else:
            _join(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


def _join(ray: Any, address: str) -> None:
    """Connect to a cluster. Raises UsageError naming the address."""
    if address.startswith("ray://"):
        raise UsageError(
            f"the address {address} of Ray's client",
            "the cluster's own host:port, as Ray Data runs on no client",
            "run pendigit on a node of the cluster, for instance by `ray job submit`",
        )
    try:
        _reach(address)
        ray.init(address=address, **QUIET)
    except Exception as error:  # Ray's errors of connecting share no other base
        raise UsageError(
            f"no Ray cluster answers at {address} ({_first_line(error)})",
            "the head node's host:port",
            "see `ray status` there; set RAY_AUTH_MODE=token if it has a token; leave --address out for this machine",
        ) from error


def _start(start: Callable[[], object], stop: Callable[[], object]) -> None:
    """Start Ray here, again if that took too long: it gives its own processes 30 seconds."""
    for attempt in range(1, STARTS + 1):
        try:
            start()
            return
        except Exception as error:  # Ray's errors of starting share no other base
            stop()
            if attempt == STARTS:
                raise UsageError(
                    f"Ray did not start on this machine ({_first_line(error)})",
                    "cores and memory to spare",
                    "wait for other work to end, or read without --engine ray",
                ) from error


def _reach(address: str) -> None:
    """See whether what listens speaks HTTP/2, as Ray does, who would try for long. Raises OSError, ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon:  # other words, such as `auto`, are Ray's own
        return
    with socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS) as line:
        line.sendall(HELLO)
        if line.recv(4)[3:] != SETTINGS:
            raise OSError("what listens there is no Ray")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Ray's native code writes to the standard error what it tries again; Python's own stays as it was."""
    sys.stderr.flush()
    kept, before = os.dup(2), sys.stderr
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(kept, "w", buffering=1, errors="backslashreplace", closefd=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
