"""The server of `seqgen studio`: a port, uvicorn, and a graceful end."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from seqgen.errors import ConfigError, OutputError

PORT = 8484
TRIED_PORTS = 100
SECONDS_TO_FINISH = 10  # requests that are being answered when the studio stops


def require_packages() -> None:
    """Raise `ConfigError` unless Starlette and uvicorn are installed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"the studio needs Starlette and uvicorn, which cannot be imported ({error}); "
            'pip install "seqgen[studio]"'
        ) from error


def bind(host: str, port: int | None) -> socket.socket:
    """A socket that listens on a port; by default on 8484, or the next free one.

    Raises:
        OutputError: the port is taken, or there is no such host.
    """
    ports = range(PORT, PORT + TRIED_PORTS) if port is None else (port,)
    for each in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, each))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or port is not None:
                advice = "choose another port, or leave --port out" if port else "choose another"
                reason = error.strerror or error
                raise OutputError(f"{host}:{each} cannot be used: {reason}; {advice}") from error
    raise OutputError(f"ports {ports[0]} to {ports[-1]} are taken; choose another with --port")


def address(listener: socket.socket, token: str = "") -> str:
    """The address of the page; a token is in its fragment, which browsers do not send.

    >>> with bind("127.0.0.1", 0) as listener:
    ...     address(listener, "a b").startswith("http://127.0.0.1:")
    True
    """
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"#token={quote(token)}" if token else "")


def serve(
    paths: Sequence[str | Path],
    listener: socket.socket,
    *,
    host: str = "127.0.0.1",
    token: str = "",
    opens_browser: bool = False,
    say_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve models until SIGINT or SIGTERM; then requests are finished and models saved.

    Args:
        paths: model files, and folders of them.
        listener: from `bind`.
        host: the same as for `bind`.
        token: what requests must name; empty if nothing.
        opens_browser: open the page in a browser.
        say_ready: called with the address of the page once it answers.

    Raises:
        ModelFileError: a path does not exist.
        ConfigError: other machines can reach the host, and there is no token.
    """
    import uvicorn

    from seqgen.studio.app import create_app
    from seqgen.studio.library import Library

    class Server(uvicorn.Server):
        is_stopping = False

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            page = address(listener, token)
            say_ready(page)
            if opens_browser:
                threading.Thread(target=webbrowser.open, args=(page,), daemon=True).start()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            self.is_stopping = True
            super().handle_exit(sig, frame)

    app = create_app(Library(paths), host=host, token=token, is_stopping=lambda: server.is_stopping)
    server = Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
            loop="asyncio",
            ws="none",
            lifespan="on",
        )
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has stopped
        server.run(sockets=[listener])
