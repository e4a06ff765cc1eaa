"""The command line. ``main`` is what a shell runs; ``commands`` is the table of what it can run.

One rule: nothing of the registry is imported here, nor before a command is chosen: ``--help`` is quick.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, as the shell asks for it, and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["__complete"]:
        from rollbook.cli.completing import complete

        complete(given[1:])
        raise SystemExit(0)
    from rollbook.cli.catalogue import answer_to

    known = answer_to(given)
    if known is not None:
        print(known)
        raise SystemExit(0)
    from rollbook.cli.running import run  # so that a module of this package is imported without all others

    run(given)
