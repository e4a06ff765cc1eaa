"""Running one command, from its command line to the exit code of its process.

One rule: an error ends in words and in the exit code of its class, never in a stack trace. Typer is imported only for
what the quick way does not understand.
"""

import os
import sys
from collections.abc import Sequence

from rollbook.cli.exits import FAILED, exit_code_of
from rollbook.cli.nouns.parsing import verb_of
from rollbook.errors import RegistryError, is_out_of_memory

OUT_OF_MEMORY = b"there is not enough memory: give the process more (see ulimit -v), or set ROLLBOOK_BODIES=packed\n"
"""Ready to be written: whatever makes text of it then would need memory."""


def run(arguments: Sequence[str]) -> None:
    """Run one command, as the shell asks for it, and exit with its code."""
    have_standard_streams()
    try:
        found = verb_of(arguments)
        if found is not None:
            command, given = found
            command(**given)
            raise SystemExit(0)
        from rollbook.cli.commands import application  # which imports Typer

        application()(list(arguments), prog_name="rollbook")
    except RegistryError as error:
        from rollbook.cli.terminal import explain

        explain(error)
        raise SystemExit(exit_code_of(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        os.write(2, OUT_OF_MEMORY)
        raise SystemExit(FAILED) from None
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # which means that who read our output has enough of it
            from rollbook.cli.terminal import say

            say(str(error))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        raise SystemExit(FAILED) from None


def have_standard_streams() -> None:
    """Open what was closed of 0, 1 and 2: the next file to be opened would be taken for it."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:  # those below are open, so it is the lowest that is free
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
