"""An exporter of changes: every change of the fleet as a line of JSON in a file, once and in order.

    python examples/exporter.py http://localhost:3000 changes.ndjson

A new run goes on after the last line of the file, whatever ended the one before; half a line at its end is cut off.
When the history after that line is no longer kept, the exporter says so and ends: there is a gap that nobody can fill.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from rollbook.client import Client
from rollbook.errors import Compacted, RegistryError

TAIL_BYTES = 1 << 20


def last_revision(path: Path) -> int | None:
    """The revision of the last whole line, after what follows it was cut off; None where there is no line."""
    if not path.exists():
        return None
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - TAIL_BYTES)
        file.seek(start)
        tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        file.truncate(start + len(whole))
    lines = whole.splitlines()
    return int(json.loads(lines[-1])["revision"]) if lines else None


def export(client: Client, path: Path, filter: Any = None) -> None:
    """Append changes to the file, each on the disk before the next one is asked for. Raises Compacted for a gap."""
    since = last_revision(path)
    with (
        path.open("ab", buffering=0) as file,
        client.watch(filter, since=0 if since is None else since, detail="both") as events,
    ):
        for event in events:
            file.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")
            os.fsync(file.fileno())


def main() -> int:
    """Export until a signal."""
    parser = argparse.ArgumentParser(description="Write every change of a registry to a file.")
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--filter", type=json.loads, help="only of clusters that match")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Client(given.url, token=os.environ.get("ROLLBOOK_TOKEN")) as client:
            export(client, given.file, given.filter)
    except KeyboardInterrupt:
        return 0
    except Compacted as gap:
        print(f"changes are missing after the last line: {gap}. Move the file away and begin anew.", file=sys.stderr)
        return 3
    except RegistryError as error:
        print(f"{error} [{error.code}]", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
