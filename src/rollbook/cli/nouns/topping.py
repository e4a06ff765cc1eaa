"""The live picture of ``rollbook fleet top``: gathered with four requests, and drawn as lines.

One rule: drawing is pure. A terminal is only needed to show the lines, and is left as it was found.
"""

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from rollbook.cli.nouns.aligning import as_table
from rollbook.cli.nouns.printing import plain, shown, write
from rollbook.cli.terminal import printable
from rollbook.errors import RegistryUnreachable

if TYPE_CHECKING:
    from rollbook.client import Client

COLUMNS = ("id", "regionId", "status", "_registry.liveness", "nodes.count", "gpus.count")
HEADINGS = ("ID", "REGION", "STATUS", "LIVENESS", "NODES", "GPUS")
FACETS = ("status", "_registry.liveness")
CLUSTERS_MAX = 200
ALTERNATE, BACK, HOME, CLEAR_LINE, CLEAR_BELOW = (
    "\x1b[?1049h\x1b[?25l",
    "\x1b[?25h\x1b[?1049l",
    "\x1b[H",
    "\x1b[K",
    "\x1b[J",
)


def show(client: "Client", question: dict[str, Any], every: float, *, once: bool) -> None:
    """Show the picture, again and again on a terminal."""
    if once or not sys.stdout.isatty():
        for line in drawn(gathered(client, question), shutil.get_terminal_size()):
            write(line)
        return
    with suppress(KeyboardInterrupt), _whole_terminal() as wait:
        revision, moment, rate = None, time.monotonic(), 0.0
        while True:
            size = shutil.get_terminal_size()
            try:
                picture = gathered(client, question)
            except RegistryUnreachable as away:
                lines = [printable(f"{client.shown} is away: {away.message}")[: size.columns]]
            else:
                now = time.monotonic()
                if revision is not None:
                    rate = (picture["revision"] - revision) / max(now - moment, 0.001)
                revision, moment = picture["revision"], now
                lines = drawn(picture | {"rate": rate}, size)
            body = "".join(f"{line}{CLEAR_LINE}\r\n" for line in lines[: size.lines - 1])
            sys.stdout.write(HOME + body + CLEAR_BELOW)
            sys.stdout.flush()
            if wait(every):
                return


def gathered(client: "Client", question: dict[str, Any]) -> dict[str, Any]:
    """What the picture shows."""
    query, options = question.get("query"), {name: each for name, each in question.items() if name != "query"}
    facets = client.clusters.facets(list(FACETS), query, **options)["facets"]
    rows = client.clusters.table(list(COLUMNS), query, **options, sort={"gpus.count": -1, "id": 1}, limit=CLUSTERS_MAX)
    sums = client.clusters.table(["gpus.count", "nodes.count"], query, **options).columns
    return {
        "server": client.shown,
        "count": rows.count,
        "revision": rows.revision,
        "gpus": sum(each or 0 for each in sums["gpus.count"]),
        "nodes": sum(each or 0 for each in sums["nodes.count"]),
        "facets": {name.rpartition(".")[2]: facets[name]["values"] for name in FACETS},
        "rows": list(rows.rows()),
    }


def drawn(picture: dict[str, Any], size: os.terminal_size) -> list[str]:
    """The lines of the picture, none longer than the terminal is wide."""
    rate = f"   {picture['rate']:,.1f} changes/s" if "rate" in picture else ""
    head = [
        f"{picture['server']}   revision {picture['revision']:,}{rate}",
        f"{picture['count']:,} clusters   {picture['nodes']:,} nodes   {picture['gpus']:,} GPUs",
        *(
            f"{name:<9} " + "   ".join(f"{shown(each['value']) or '-'} {each['count']:,}" for each in values)
            for name, values in picture["facets"].items()
        ),
        "",
    ]
    rows = [
        [shown(row[path]) if path != "id" else shown(plain(row[path])) for path in COLUMNS] for row in picture["rows"]
    ]
    room = max(1, size.lines - len(head) - 2)
    return [line[: size.columns] for line in head + as_table(HEADINGS, rows[:room], columns=size.columns)]


@contextmanager
def _whole_terminal() -> "Iterator[Any]":
    """The terminal's other screen, and keys as they are pressed. Gives a wait, which is true when q was pressed."""
    import termios
    import tty

    keys = sys.stdin.fileno() if sys.stdin.isatty() else None
    former = None if keys is None else termios.tcgetattr(keys)

    def wait(seconds: float) -> bool:
        if keys is None:
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([keys], [], [], seconds)
        return bool(ready) and os.read(keys, 64)[:1] in (b"q", b"Q", b"\x03", b"\x04")

    handlers = {number: signal.signal(number, _interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.stdout.write(ALTERNATE)
    try:
        if keys is not None:
            tty.setcbreak(keys)
        yield wait
    finally:
        if former is not None and keys is not None:
            termios.tcsetattr(keys, termios.TCSADRAIN, former)
        sys.stdout.write(BACK)
        sys.stdout.flush()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
