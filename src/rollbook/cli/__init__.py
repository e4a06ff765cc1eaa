"""The command line. ``main`` is what a shell runs; ``commands`` is the table of what it can run.

One rule: nothing of the registry is imported here, nor by ``commands`` before a command is chosen: ``--help`` is quick.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, as the shell asks for it, and exit with its code."""
    from rollbook.cli.commands import run  # so that a module of this package is imported without Typer

    run(arguments)
