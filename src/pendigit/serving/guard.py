"""What stands before every route: who may ask, how much may be sent, and which headers an answer carries."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Iterable
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pendigit.errors import PendigitError
from pendigit.serving.metrics import Metrics
from pendigit.serving.problems import BusyError, ForeignError, NoTokenError, TooLargeError, as_problem, problem
from pendigit.serving.settings import Settings

Headers = dict[bytes, bytes]

log = logging.getLogger("pendigit.serving")
TOKEN_FREE = ("/v1/", "/metrics")  # prefixes that need the token; the page, the docs and /healthz hold no secret
NOTHING = b"default-src 'none'; frame-ancestors 'none'"
PAGE = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    b"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Swagger's interface writes styles into its elements, and draws with pictures inside them.
DOCS = PAGE.replace(b"style-src 'self'", b"style-src 'self' 'unsafe-inline'")
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._token = None if settings.token is None else settings.token.encode()
        self._names = {"localhost", *settings.names}
        self._held = 0  # bytes of all bodies that are in the house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; everything else of ASGI passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self, scope, receive, send)
        try:
            headers = dict(scope["headers"])
            self._check(scope, headers)
            await self._app(scope, visit.receive, visit.send)
        except PendigitError as error:
            await visit.answer(as_problem(error))
        except ClientDisconnect:
            visit.status = 499  # nobody is there to be answered; the number is nginx's
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            fault = "a fault of pendigit's own; its log says more"
            await visit.answer(problem("fault", 500, "A fault of pendigit's own", fault))
        finally:
            self._held -= visit.held
            self._metrics.answered(scope, visit.status, perf_counter() - visit.began)

    def hold(self, size: int, held: int) -> int:
        """Count `size` more bytes of a body that had `held`; the sum. Raises TooLargeError, BusyError."""
        if held + size > self._settings.body_bytes:
            raise _too_large(held + size, self._settings)
        if self._held + size > self._settings.held_bytes:
            seen = f"{self._held:,} bytes of requests under way"
            raise BusyError(seen, f"at most {self._settings.held_bytes:,}", "try again in a second")
        self._held += size
        return held + size

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_own(host):
            raise ForeignError(
                f"a call to the host {host!r}",
                f"an address or one of {', '.join(sorted(self._names))}",
                "start the server with --name to call it by another name",
            )
        if scope["method"] not in {"GET", "HEAD"}:
            self._check_origin(headers, host)
        if self._token is not None and scope["path"].startswith(TOKEN_FREE):
            self._check_token(headers)
        length = headers.get(b"content-length", b"0")
        if int(length) > self._settings.body_bytes:
            raise _too_large(int(length), self._settings)

    def _is_own(self, host: str) -> bool:
        """Whether a Host header is an address or a name of the server's.

        A page elsewhere can make its own name lead to this machine (DNS rebinding), and would then pass for the
        server's own page. It cannot do so with an address.
        """
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _check_origin(self, headers: Headers, host: str) -> None:
        """Refuse what another site makes a browser send: browsers say so, and scripts cannot unsay it."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        site = headers.get(b"sec-fetch-site", b"none")
        if origin in self._settings.origins and origin:
            return
        if site not in {b"none", b"same-origin"} or (origin and origin.partition("://")[2] != host):
            raise ForeignError(
                f"a request that a page of {origin or 'another site'} sent",
                "one of the server's own page, or of a program",
                "start the server with --origin to let that page use it",
            )

    def _check_token(self, headers: Headers) -> None:
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        expected = self._token or b""
        if kind.lower() != b"bearer" or not hmac.compare_digest(given.strip(), expected):
            raise NoTokenError(
                "another token" if given else "no token",
                "the server's token",
                "send the header: Authorization: Bearer TOKEN",
            )


class _Visit:
    """One request on its way: counts what comes in, and adds headers to what goes out."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self.began = perf_counter()
        self.held = 0
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")
            if body:
                self.held = self._guard.hold(len(body), self.held)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *_headers(self._scope["path"])]
        await self._send(message)

    async def answer(self, response: ASGIApp) -> None:
        """Send a response, unless one has begun already: then the connection breaks off, as it should."""
        if not self.status:
            await response(self._scope, self._receive, self.send)


def _headers(path: str) -> Iterable[tuple[bytes, bytes]]:
    if path.startswith(("/v1/", "/metrics", "/healthz")):
        return _API
    return _DOCS if path.startswith("/docs") else _PAGE


def _too_large(size: int, settings: Settings) -> TooLargeError:
    return TooLargeError(f"a body of {size:,} bytes", f"at most {settings.body_bytes:,}", "make the picture smaller")


_API = [*ALWAYS, (b"content-security-policy", NOTHING), (b"cache-control", b"no-store")]
_DOCS = [*ALWAYS, (b"content-security-policy", DOCS)]
_PAGE = [*ALWAYS, (b"content-security-policy", PAGE)]
