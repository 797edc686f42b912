"""`seqgen inspect`."""

from __future__ import annotations

import sys

import click

from seqgen.cli.echo import say
from seqgen.cli.options import Registered, json_option
from seqgen.errors import CorpusError, one_line
from seqgen.tasks import base as tasks
from seqgen.tasks.output import print_json


@click.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@click.option("--task", type=Registered("task", tasks.names),
              help="Kind of sequence in the files. [detected]")  # fmt: skip
@click.option("--encoding", help="Encoding of text, such as latin-1. [utf-8]")
@json_option
def inspect(
    corpora: tuple[str, ...], task: str | None, encoding: str | None, as_json: bool
) -> None:
    """Describe every file of a CORPUS, or say why it is unusable.

    Text: its encoding, the number of characters, those that are rare in the whole corpus, lines
    that are repeated, and licences and other lines that are not worth learning. Music: parts,
    notes, meters and keys, and what cannot be read. Labels: sequences, labels and unusable rows.
    Images: format, size and number of pictures.

    \b
    Examples:
      seqgen inspect poems/
      seqgen inspect my_midis/
      seqgen inspect faces/
      seqgen inspect tune.mid song.musicxml --json
    """
    from seqgen.corpus import catalogue
    from seqgen.tasks import detect

    spec = catalogue.find(corpora)
    if not spec.sources:
        raise CorpusError(
            f"{', '.join(corpora)}: expected files, got an empty folder; choose another one"
        )
    for terms in spec.terms:
        say(terms)
    name = task or spec.task or detect.task_of(spec.sources)
    found = tasks.get(name).inspect(spec.sources, encoding=encoding, progress=sys.stderr.isatty())
    if as_json:
        print_json([inspection.facts for inspection in found])
        return
    files = [one_line(inspection.facts["file"]) for inspection in found]
    width = max(map(len, files))
    for file, inspection in zip(files, found, strict=True):
        click.echo(f"{file:{width}}  {one_line(inspection.line)}")
    usable = sum(inspection.facts["kept"] for inspection in found)
    say(f"{usable} of {len(found)} files can be used, {len(found) - usable} are skipped")
