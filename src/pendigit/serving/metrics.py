"""What Prometheus may ask: how many requests, how they ended, how long they took, how many wait."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import Scope

from pendigit.serving.lanes import Lane

# Seconds: a digit takes 1 to 5 ms, a page half a second to ten.
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The server's own registry, so that two servers in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "pendigit_requests", "Requests answered.", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "pendigit_request_seconds", "From a request's header to its answer.", ["route"], buckets=BUCKETS,
            registry=self._registry,
        )  # fmt: skip

    def watch(self, lanes: Mapping[str, Lane[Any, Any]]) -> None:
        """Report how many jobs each lane has."""
        waiting = Gauge("pendigit_waiting", "Jobs that wait or are worked on.", ["lane"], registry=self._registry)
        for name, lane in lanes.items():
            waiting.labels(name).set_function(partial(getattr, lane, "waiting"))

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request. What matches no route is counted together: names must not grow with what is asked."""
        route = getattr(scope.get("route"), "path", "other")
        self._requests.labels(route, scope["method"] if route != "other" else "", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def exposition(self) -> Response:
        """Everything in Prometheus's text format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
