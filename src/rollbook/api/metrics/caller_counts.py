"""Counts of requests by who sent them, and by the verb that their operation takes.

One rule: there is an end to the labels. Callers are counted by what names them without their address, all anonymous
ones as one, and those that come after the first CALLERS_MAX as OTHERS.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

from rollbook.security.callers import Caller

CALLERS_MAX = 100
OTHERS = "other"
NO_VERB = "none"

Shortcut: TypeAlias = Literal["read", "query", "update", "heartbeat"]
SHORTCUTS: Mapping[Shortcut, str] = {"read": "read", "query": "read", "update": "update", "heartbeat": "heartbeat"}
"""Each shortcut, and the verb that its operation takes."""


class CallerTally:
    """The requests of one caller: ``direct`` are those that a shortcut answered, ``verbs`` those of the application."""

    __slots__ = ("direct", "verbs")

    def __init__(self) -> None:
        self.direct: dict[Shortcut, int] = dict.fromkeys(SHORTCUTS, 0)
        self.verbs: Counter[str] = Counter()


class CallerCounts:
    """The requests of all callers."""

    def __init__(self) -> None:
        self._tallies: dict[str, CallerTally] = {}

    def of(self, caller: Caller) -> CallerTally:
        """Where to count the requests of a caller."""
        name = caller.name.rpartition("@")[0] or caller.name
        tally = self._tallies.get(name)
        if tally is None:
            name = name if len(self._tallies) < CALLERS_MAX else OTHERS
            tally = self._tallies.setdefault(name, CallerTally())
        return tally

    def direct(self, shortcut: Shortcut) -> int:
        """How many requests a shortcut answered."""
        return sum(tally.direct[shortcut] for tally in self._tallies.values())

    def counts(self) -> Mapping[tuple[str, str], int]:
        """The requests so far, by the name of the caller and the verb."""
        counts: Counter[tuple[str, str]] = Counter()
        for name, tally in self._tallies.items():
            for verb, count in tally.verbs.items():
                counts[name, verb] += count
            for shortcut, count in tally.direct.items():
                if count:
                    counts[name, SHORTCUTS[shortcut]] += count
        return counts
