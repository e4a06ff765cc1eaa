"""Clocks for tests: they stand still until they are told to go, to jump, or to go while nobody looks."""

from dataclasses import dataclass

from rollbook.clusters.liveness import ClockReading

NOON_MS = 1_800_000_000_000 + 450_000  # the middle of a quarter of an hour


@dataclass
class Clocks:
    """Called, they tell the time."""

    seconds: float = 1_000.0
    unix_ms: int = NOON_MS

    def __call__(self) -> ClockReading:
        return ClockReading(self.seconds, self.unix_ms)

    def go(self, seconds: float) -> ClockReading:
        """Time passes."""
        self.seconds += seconds
        self.unix_ms += round(seconds * 1000)
        return self()

    def jump(self, seconds: float) -> ClockReading:
        """Somebody sets the clock."""
        self.unix_ms += round(seconds * 1000)
        return self()
