"""`seqgen share`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from cloup import command, option

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import FILE
from seqgen.errors import OutputError
from seqgen.tasks.output import say_if_renamed
from seqgen.utils.atomic_files import require_writable

SUFFIXES = (".html", ".htm")


@command()
@click.argument("model", type=FILE)
@option("-o", "--output", type=FILE, required=True, help="Page to write: NAME.html.")
@option("--title", help="Heading of the page. [the name of the model]")
@option("--note", help="Text below the heading.")
@option("--license", "licence", metavar="ID", help="Licence of the model, such as mit. [unknown]")
@option(
    "--no-mix",
    "mix",
    flag_value=False,
    default=True,
    help="Leave out the n-grams that predictions are mixed with.",
)
@option("--with-index", is_flag=True,
        help="Include the index of the corpus, with which copies are found.")  # fmt: skip
def share(model: Path, output: Path, mix: bool, with_index: bool, **options: Any) -> None:
    """Write one HTML file that generates text in a browser, offline.

    It holds the model with 8-bit weights and the engine, opens from a disk in any current browser,
    and requests nothing from a network. The same seed gives the text of seqgen generate. With
    --with-index it says how long the longest run is that is copied from the corpus.

    \b
    Examples:
      seqgen share book.keras -o book.html
      seqgen share book.keras -o book.html --title "New plays" --note "Made from old plays."
      seqgen share book.keras -o book.html --no-mix
    """
    from seqgen import model as library
    from seqgen.sharing import page

    if output.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: expected a name that ends in .html; try {output.stem}.html")
    require_writable(output)
    loaded = library.load(model)
    say_if_renamed(output, say)
    given = explicit_options(options)
    page.save(loaded, output, page.PageOptions(model.name, mix=mix, with_index=with_index, **given))
    click.echo(output)
