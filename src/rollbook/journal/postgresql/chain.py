"""Where the log stands, as this process has read or written it.

One rule: a process goes on only from an entry whose token it knows. An entry that names another predecessor belongs to
another history, and who stands on the former one has to load anew.
"""

from collections import OrderedDict
from threading import Lock

from rollbook.journal.postgresql.appending import other_history
from rollbook.journal.postgresql.batches import Position

KEPT = 8_192
"""How many positions are remembered."""


class Chain:
    """The ends of the entries that this process knows. Any thread may call it."""

    def __init__(self, newest: Position) -> None:
        self.newest = newest
        """The newest entry that is known."""
        self._known: OrderedDict[int, Position] = OrderedDict({newest.revision: newest})
        self._lock = Lock()

    def at(self, revision: int) -> Position | None:
        """The entry that ends at a revision, if it is known."""
        return self._known.get(revision)

    def begin_at(self, newest: Position) -> None:
        """Forget what was known: everything was loaded as of ``newest``."""
        with self._lock:
            self._known = OrderedDict({newest.revision: newest})
            self.newest = newest

    def add(self, position: Position) -> None:
        """An entry that was written, or read from the log. Refuses (Compacted) one of another history."""
        with self._lock:
            known = self._known.get(position.revision)
            if known is not None:
                if known.token != position.token:
                    raise other_history(position.revision)
                return
            self._known[position.revision] = position
            if position.revision > self.newest.revision:
                self.newest = position
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def check_predecessor(self, revision: int, previous: object) -> None:
        """Refuses (Compacted) an entry after ``revision`` whose predecessor is another one than is known."""
        known = self._known.get(revision)
        if known is not None and known.token != previous:
            raise other_history(revision)
