"""The command line: options → one library call → output.

Help and commands import only what they need, so that both start fast.
"""

from __future__ import annotations

import importlib

import click

from seqgen._version import __version__

COMMANDS = {  # name → summary; `seqgen/cli/NAME.py` defines the command as the function NAME
    "train": "Train a model on text, music, images, or sequences with labels.",
    "generate": "Generate new text, music or images with a trained model.",
    "classify": "Label texts or series of numbers with a trained model.",
    "evaluate": "Measure the scores of a model, and compare them with baselines.",
    "compare": "Train simple_rnn, lstm and gru on one corpus, and compare them.",
    "render": "Convert a music file to a score, audio or another format.",
    "inspect": "Describe every file of a CORPUS, or say why it is unusable.",
    "studio": "Write, compose and train on a page in the browser, and serve an API.",
    "info": "Describe a model file: task, network, corpus, training and score.",
    "share": "Write one HTML file that generates text in a browser, offline.",
    "card": "Write a model card for the Hugging Face Hub: corpus, options, scores, samples.",
    "export": "Convert the network of a model to ONNX, for other programs.",
    "corpora": "List the corpora that can be used by name.",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and none to list them in the help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"seqgen.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and summaries of all commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help, with examples: seqgen train --help",
)
@click.version_option(__version__, prog_name="seqgen")
def cli() -> None:
    """Train a model on your own text, music or images, and generate more of it.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen generate book.keras --prompt "The "
    """
