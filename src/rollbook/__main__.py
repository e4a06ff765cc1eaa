"""``python -m rollbook``, and the command ``rollbook``.

One rule: a stop is understood from the first line on. Importing everything takes a second or more, and a signal that
came then would end the process without a word, in the exit code of a failure.
"""

import os
import signal
import sys
from types import FrameType

SERVE = "serve"
STOPPED = 128 + signal.SIGINT
STOPS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Run the command that the shell asks for."""
    for number in STOPS:
        signal.signal(number, _stop)
    from rollbook import cli

    if SERVE not in sys.argv[1:2]:  # it handles signals itself, or not at all
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


def _stop(number: int, _frame: FrameType | None) -> None:
    """Nothing was begun: a server that is stopped now has stopped as it was asked to."""
    name = signal.Signals(number).name
    is_server = SERVE in sys.argv[1:2]
    said = f"stopped by {name} before it {'listened' if is_server else 'began'}\n"
    os.write(2, said.encode())
    os._exit(0 if is_server else STOPPED)


if __name__ == "__main__":
    main()
