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

    cli.main()


def _stop(number: int, _frame: FrameType | None) -> None:
    """End at once, until the command handles signals itself. A server that is stopped so has done what it was asked."""
    name = signal.Signals(number).name
    is_server = SERVE in sys.argv[1:2]
    os.write(2, f"stopped by {name}{' before it listened' if is_server else ''}\n".encode())
    os._exit(0 if is_server else STOPPED)


if __name__ == "__main__":
    main()
