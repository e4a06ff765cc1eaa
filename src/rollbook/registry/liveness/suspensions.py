"""Holds: times in which silent clusters are not marked; in words for ``/readyz``, counted for metrics.

One rule: a hold is logged when it begins and when it ends, and can be read in between. There are two kinds. A *mass
silence* lasts until enough heartbeats have returned. A *grace* lasts until every lease that it was given to
has heard a beat or has passed once more; the leases see to that one by one, and the hold only reports it.
"""

import logging
from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from msgspec import Struct, field

from rollbook.clusters.liveness import ClockReading, is_mass_silence
from rollbook.documents.values import Value
from rollbook.registry.feed.times import iso_time

logger = logging.getLogger(__name__)

Cause: TypeAlias = Literal["mass-silence", "started", "paused", "clock-jumped", "beats-returned"]


class Suspension(Struct, frozen=True):
    """Why silences are not written down, and since when (Unix ms)."""

    cause: Cause
    detail: str
    since_ms: int

    def as_json(self, waiting: int) -> dict[str, Value]:
        """For ``/readyz``; ``waiting`` is how many clusters it concerns now."""
        return {"cause": self.cause, "detail": self.detail, "since": iso_time(self.since_ms), "waiting": waiting}


class Suspensions(Struct):
    """The holds that there are now, and how many there have been of each cause since the process began."""

    mass: Suspension | None = None
    grace: Suspension | None = None
    begun: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(get_args(Cause), 0))
    _graced: set[str] = field(default_factory=set)

    def judge(self, silent: int, under_lease: int, at: ClockReading) -> bool:
        """Begin a hold when this is a mass silence; whether one has lasted until now and is none any more."""
        is_mass = is_mass_silence(silent, under_lease)
        if is_mass and self.mass is None:
            detail = f"{silent} of {under_lease} clusters under lease fell silent within one window"
            self.mass = self._begin("mass-silence", detail, at)
        return self.mass is not None and not is_mass

    def begin_grace(self, cause: Cause, detail: str, ids: Iterable[str], at: ClockReading) -> None:
        """Give these leases their length once more. A mass silence is over by that: who is silent has to show it
        again."""
        if self.mass is not None:
            _end(self.mass, at)
            self.mass = None
        self._graced = set(ids)
        self.grace = self._begin(cause, detail, at) if self._graced else None

    def settle(self, id: str, at: ClockReading) -> None:
        """The lease needs its grace no more: it heard a beat, or ran out, or is gone."""
        if self._graced:
            self._graced.discard(id)
            if not self._graced and self.grace is not None:
                _end(self.grace, at)
                self.grace = None

    def holding(self) -> dict[Cause, bool]:
        """Of each cause, whether there is a hold now."""
        now = {hold.cause for hold in (self.mass, self.grace) if hold is not None}
        return {cause: cause in now for cause in self.begun}

    def as_json(self, due: int) -> list[Value]:
        """For ``/readyz``; ``due`` is how many clusters a mass silence keeps waiting."""
        mass = [] if self.mass is None else [self.mass.as_json(due)]
        return [*mass, *([] if self.grace is None else [self.grace.as_json(len(self._graced))])]

    def _begin(self, cause: Cause, detail: str, at: ClockReading) -> Suspension:
        self.begun[cause] += 1
        logger.warning("silences are not written down (%s): %s", cause, detail)
        return Suspension(cause, detail, at.unix_ms)


def _end(hold: Suspension, at: ClockReading) -> None:
    seconds = max(0, at.unix_ms - hold.since_ms) / 1000
    logger.warning("silences are written down again: %s is over after %.1f s", hold.cause, seconds)
