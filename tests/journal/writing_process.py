"""A process that appends until it is killed: prints each acknowledged revision. Run by test_sqlite.py.

With a third argument it also compacts all the while, and keeps so many changes. START_PAGES says how large the log
grows before a checkpoint.
"""

import os
import sys
import threading
from pathlib import Path

from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal


def main() -> None:
    start_pages = int(os.environ.get("START_PAGES", "20"))
    journal = SqliteJournal.open(Path(sys.argv[1]), start_pages=start_pages, cap_pages=5 * start_pages)
    batch_size, newest = int(sys.argv[2]), journal.newest()
    live = {kept.id: kept.body for kept in journal.load()}
    if len(sys.argv) > 3:
        threading.Thread(target=compact, args=(journal, int(sys.argv[3])), daemon=True).start()
    print("ready", flush=True)
    while True:
        batch = []
        for revision in range(newest + 1, newest + batch_size + 1):
            id = f"c{revision % 50}"
            before, after = live.get(id), b'{"id":"%s","beat":%d,"pad":"%s"}' % (id.encode(), revision, b"x" * 3000)
            batch.append(Change(revision, id, "updated" if before else "created", revision, before, after))
            live[id] = after
        journal.append(batch, after=newest)
        newest += batch_size
        print(newest, flush=True)


def compact(journal: SqliteJournal, changes_max: int) -> None:
    while True:
        journal.compaction.step(journal.newest() - changes_max)


if __name__ == "__main__":
    main()
