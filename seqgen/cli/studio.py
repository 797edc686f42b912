"""`seqgen studio`."""

from __future__ import annotations

import click

from seqgen.cli.options import PathName


@click.command()
@click.argument("models", nargs=-1, type=PathName(), metavar="[MODEL|FOLDER]...")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; by default 8484, or the next.")
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="Address to listen on; one that other machines can reach needs --token.",
)  # fmt: skip
@click.option("--token", envvar="SEQGEN_STUDIO_TOKEN", help="A secret that requests must name.")
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
def studio(
    models: tuple[str, ...], port: int | None, host: str, token: str | None, no_browser: bool
) -> None:
    """Write, compose and train on a page in the browser, and serve an HTTP API.

    The models are those of the named files and folders, by default those of the folder models or
    the current one. Ctrl-C and SIGTERM end the studio: requests are finished, and a model that is
    being trained is saved. The studio needs the extra of this name: pip install "seqgen[studio]".

    \b
    Examples:
      seqgen studio
      seqgen studio book.keras tunes/ --port 9000 --no-browser
      seqgen studio models/ --host 0.0.0.0 --token "$(openssl rand -hex 16)"
    """
    from seqgen.cli.echo import say
    from seqgen.studio import server

    server.require_packages()
    with server.bind(host, port) as listener:
        server.serve(
            models,
            listener,
            host=host,
            token=token or "",
            opens_browser=not no_browser,
            say_ready=lambda page: click.echo(page),
        )
    say("the studio has stopped")
