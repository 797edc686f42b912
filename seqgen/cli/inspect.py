"""`seqgen inspect`."""

from __future__ import annotations

import sys

import click

from seqgen.cli.echo import say
from seqgen.cli.options import json_option
from seqgen.errors import CorpusError
from seqgen.tasks.output import print_json


@click.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@json_option
def inspect(corpora: tuple[str, ...], as_json: bool) -> None:
    """Describe every music file of a CORPUS, or say why it is unusable.

    \b
    Examples:
      seqgen inspect my_midis/
      seqgen inspect tune.mid song.musicxml --json
    """
    from seqgen.corpus import catalogue
    from seqgen.reporting import listings
    from seqgen.tasks.music.files import readings

    spec = catalogue.find(corpora)
    if not spec.sources:
        raise CorpusError(
            f"{', '.join(corpora)}: expected music files, got an empty folder; choose another one"
        )
    for terms in spec.terms:
        say(terms)
    results = readings(spec.sources, progress=sys.stderr.isatty())
    rows = [
        listings.reading(source.label, result)
        for source, result in zip(spec.sources, results, strict=True)
    ]
    if as_json:
        print_json(rows)
        return
    width = max(len(row["file"]) for row in rows)
    for row in rows:
        click.echo(f"{row['file']:{width}}  {listings.reading_line(row)}")
    usable = sum(row["kept"] for row in rows)
    say(f"{usable} of {len(rows)} files can be used, {len(rows) - usable} are skipped")
