"""Times as the registry reads them off its clocks, and as it writes them: ISO 8601 in UTC, to the millisecond."""

import time
from datetime import UTC, datetime

from rollbook.clusters.liveness import ClockReading


def iso_time(at_ms: int) -> str:
    """A Unix time in milliseconds, as text: ``2026-01-31T12:00:00.000Z``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_clocks() -> ClockReading:
    """Both clocks of this machine, now."""
    return ClockReading(time.monotonic(), time.time_ns() // 1_000_000)
