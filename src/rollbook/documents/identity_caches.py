"""What was made of large values that never change, found again by the very same object.

One rule: an answer is given for the object that it was made of, never for an equal one. The cache holds its keys, so an
identity can't be taken over by another object meanwhile.
"""

import threading
from typing import Generic, TypeVar

Made = TypeVar("Made")


class IdentityCache(Generic[Made]):
    """Keeps what was used last, up to a total weight. Any thread may use it."""

    def __init__(self, *, weight_max: int) -> None:
        self._weight_max = weight_max
        self._weight = 0
        self._entries: dict[int, tuple[object, Made, int]] = {}
        self._used: set[int] = set()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: object) -> Made | None:
        """What was made of ``key``; None when it is not kept."""
        with self._turn:
            entry = self._entries.pop(id(key), None)
            if entry is None:
                return None
            self._entries[id(key)] = entry
            self._used.add(id(key))
            return entry[1]

    def put(self, key: object, made: Made, *, weight: int) -> None:
        """Keep what was made of ``key``; what was used least makes room."""
        with self._turn:
            self._drop(id(key))
            if weight > self._weight_max:
                return
            self._entries[id(key)] = (key, made, weight)
            self._used.add(id(key))
            self._weight += weight
            while self._weight > self._weight_max:
                self._drop(next(iter(self._entries)))

    def put_after(self, key: object, made: Made, *, weight: int, former: object, former_weight: int) -> None:
        """As ``put``, of what shares most with ``former``, which weighs only ``former_weight`` from now on.

        Its weight falls first: the largest value and its successor have room together, where one alone has.
        """
        with self._turn:
            entry = self._entries.get(id(former))
            if entry is not None:
                self._entries[id(former)] = (former, entry[1], former_weight)
                self._weight += former_weight - entry[2]
        self.put(key, made, weight=weight)

    def forget_unused(self) -> None:
        """Give up what was neither put nor found since this was last called."""
        with self._turn:
            for identity in self._entries.keys() - self._used:
                self._drop(identity)
            self._used.clear()

    def _drop(self, identity: int) -> None:
        entry = self._entries.pop(identity, None)
        if entry is not None:
            self._weight -= entry[2]
