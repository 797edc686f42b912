"""What requests may reach the studio, and what its pages may do in a browser.

A page of another site that a user visits can send requests to a server on the same machine. It is
kept out in three ways: the name in `Host` must be one of this server, so that a name of the other
site that suddenly means 127.0.0.1 is refused (DNS rebinding); `Origin` and `Sec-Fetch-Site`, which
browsers send and pages cannot change, must be those of the studio's own page; and a server that
other machines can reach asks for a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqgen.studio.errors import response

LOOPBACK = ("127.0.0.1", "localhost", "::1")
GUARDED = ("/v1/", "/api/")  # paths that need the token; the others are files of the package

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # a text can never become HTML
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def host_of(header: str) -> str:
    """The name of a `Host` header without its port.

    >>> host_of("localhost:8484"), host_of("[::1]:8484")
    ('localhost', '::1')
    """
    with suppress(ValueError):
        return urlsplit(f"//{header}").hostname or ""
    return ""


class Security:
    """Middleware that refuses requests of other sites, and adds headers to every response.

    Args:
        app: the application.
        host: on which the server listens.
        token: what requests must name in `Authorization: Bearer TOKEN`; empty if nothing.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", token: str = "") -> None:
        self.app = app
        self.is_public = not is_loopback(host)
        self.token = token.encode()
        self.names = {*LOOPBACK, host.lower()}
        if self.is_public:
            self.names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        app = self.app
        if refused := self._refusal(Headers(scope=scope), scope["path"]):
            app = response(*refused)
        await app(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, path: str) -> tuple[int, str] | None:
        """The status and the reason if a request is refused."""
        host = headers.get("host", "")
        if not self._is_own(host_of(host).lower()):
            return 403, f"host: expected a name of this server, got {host[:100]!r}"
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return 403, f"origin: expected a page of this server, got {origin[:100]!r}"
        site = headers.get("sec-fetch-site", "none")
        if path.startswith(GUARDED) and site not in ("none", "same-origin"):
            return 403, "expected a request of this server's own page, got one of another site"
        if self.token and path.startswith(GUARDED) and not self._has_token(headers):
            return 401, "token: expected the token of this studio in Authorization: Bearer TOKEN"
        return None

    def _is_own(self, name: str) -> bool:
        if name in self.names:
            return True
        if not self.is_public:
            return False
        with suppress(ValueError):
            ipaddress.ip_address(name)
            return True  # no other site has a number as its name and means this machine
        return False

    def _has_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.encode(), self.token)
