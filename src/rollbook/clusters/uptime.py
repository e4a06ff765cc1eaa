"""Uptime: how much of each quarter of an hour, and of each day, a cluster was alive, late, silent or unknown.

One rule: only seconds that the registry listened are counted. What is left of a slot is unknown, so nothing needs to be
written down for it: not for the time before the first beat, nor for the time that the registry was not running.

Slots and days are numbered in UTC from the beginning of Unix time, so a day has 96 slots.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rollbook.clusters.liveness import Lease, runs_out_at

SLOT_SECONDS = 900
DAY_SECONDS = 86_400
SLOTS_IN_DAY = DAY_SECONDS // SLOT_SECONDS
SLOTS_KEPT = SLOTS_IN_DAY
DAYS_KEPT = 90
SHARE_DIGITS = 6


class Spent(NamedTuple):
    """Seconds in each state."""

    alive: float = 0.0
    late: float = 0.0
    silent: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Both together."""
        return Spent(self.alive + other.alive, self.late + other.late, self.silent + other.silent)


class Share(NamedTuple):
    """Where a stretch of time begins (Unix seconds), and the share of it in each state; they add up to 1."""

    begins: int
    alive: float
    late: float
    silent: float
    unknown: float


NOTHING = Spent()


def spent_between(lease: Lease, start: float, end: float, listening_since: float) -> Spent:
    """How a stretch without beats was spent; ``start`` is no earlier than the last beat."""
    if lease.noted:
        return Spent(silent=end - start)
    half = lease.beat_at + lease.ttl_seconds / 2
    whole = lease.beat_at + lease.ttl_seconds
    out = runs_out_at(lease.beat_at, lease.ttl_seconds, listening_since)
    return Spent(
        max(0.0, min(end, half) - start),
        max(0.0, min(end, whole) - max(start, half)),
        max(0.0, end - max(start, out)),
    )


def slot_of(unix_seconds: float) -> int:
    """The number of the slot that a time is in."""
    return int(unix_seconds // SLOT_SECONDS)


def day_of_slot(slot: int) -> int:
    """The number of the day that a slot is in."""
    return slot // SLOTS_IN_DAY


def slot_shares(spent: Mapping[int, Spent], unix_seconds: float) -> list[Share]:
    """The shares of the slots of the last day, the one that is under way included."""
    return list(_shares(spent, unix_seconds, SLOT_SECONDS, SLOTS_KEPT))


def day_shares(spent: Mapping[int, Spent], unix_seconds: float) -> list[Share]:
    """The shares of the last days, today included."""
    return list(_shares(spent, unix_seconds, DAY_SECONDS, DAYS_KEPT))


def sums(rows: Iterable[tuple[int, Spent]]) -> dict[int, Spent]:
    """What is known of each slot or day, put together."""
    totals: dict[int, Spent] = {}
    for number, spent in rows:
        totals[number] = totals.get(number, NOTHING).plus(spent)
    return totals


def _shares(spent: Mapping[int, Spent], unix_seconds: float, length_seconds: int, kept: int) -> Iterator[Share]:
    newest = int(unix_seconds // length_seconds)
    for number in range(newest - kept + 1, newest + 1):
        begins = number * length_seconds
        yield _share(begins, spent.get(number, NOTHING), min(float(length_seconds), unix_seconds - begins))


def _share(begins: int, spent: Spent, elapsed_seconds: float) -> Share:
    """Of a stretch of which so much has passed; a clock that went back may have let more be counted."""
    counted = sum(spent)
    whole = max(elapsed_seconds, counted)
    if whole <= 0:
        return Share(begins, 0.0, 0.0, 0.0, 1.0)
    alive, late, silent = (round(seconds / whole, SHARE_DIGITS) for seconds in spent)
    return Share(begins, alive, late, silent, round(max(0.0, 1 - alive - late - silent), SHARE_DIGITS))
