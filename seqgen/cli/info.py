"""`seqgen info`, `seqgen inspect` and `seqgen corpora`: what there is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from seqgen.cli.echo import say
from seqgen.cli.options import FILE, json_option
from seqgen.errors import CorpusError
from seqgen.tasks.output import print_json


@click.command()
@click.argument("model", type=FILE)
@json_option
def info(model: Path, as_json: bool) -> None:
    """Show what a model file holds.

    \b
    Examples:
      seqgen info book.keras
      seqgen info book.keras --json
    """
    from seqgen import model_file
    from seqgen.reporting import summaries

    loaded = model_file.load(model)
    if as_json:
        print_json(summaries.facts(loaded))
    else:
        click.echo(summaries.table(loaded))


@click.command()
@json_option
def corpora(as_json: bool) -> None:
    """List the corpora that have a name.

    Those not on this machine are fetched, and checked, when they are first used.

    \b
    Examples:
      seqgen corpora
      seqgen train python-docs -o docs.keras --minutes 1
    """
    from seqgen.corpus.catalogue import read_catalogue

    rows = [
        {
            "name": entry.name,
            "task": entry.task,
            "characters": entry.size,
            "pieces": entry.pieces,
            "licence": entry.licence,
            "here": entry.is_here,
            "description": entry.description,
            "source": entry.source,
        }
        for entry in read_catalogue().values()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        unit = "characters" if row["pieces"] is None else "pieces"
        size = f"{row[unit] or 0:,} {unit}"
        absent = "to be fetched" if row[unit] else "not in this Python"
        where = "on this machine" if row["here"] else absent
        click.echo(
            f"{row['name']:20} {size:>21}  {where:15}  {row['licence']:32} {row['description']} "
            f"({row['source']})"
        )


@click.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@json_option
def inspect(corpora: tuple[str, ...], as_json: bool) -> None:
    """Say of each file of music what it holds, or why it cannot be used.

    \b
    Examples:
      seqgen inspect my_midis/
      seqgen inspect tune.mid song.musicxml --json
    """
    from seqgen.corpus import catalogue
    from seqgen.reporting import summaries
    from seqgen.tasks.music.files import readings

    named = catalogue.find(corpora)
    if not named.sources:
        raise CorpusError(f"{', '.join(corpora)}: the folder has no files")
    for line in named.terms:
        say(line)
    found = readings(named.sources, progress=sys.stderr.isatty())
    rows = [summaries.reading(s.label, each) for s, each in zip(named.sources, found, strict=True)]
    if as_json:
        print_json(rows)
        return
    width = max(len(row["file"]) for row in rows)
    for row in rows:
        click.echo(f"{row['file']:{width}}  {summaries.reading_line(row)}")
    kept = sum(row["kept"] for row in rows)
    say(f"{kept} of {len(rows)} files can be used, {len(rows) - kept} are skipped")
