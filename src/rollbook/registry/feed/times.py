"""Times as the registry reads them off its clocks, and as it writes them: ISO 8601 in UTC, to the millisecond."""

import time
from datetime import UTC, datetime
from functools import lru_cache

from rollbook.clusters.liveness import ClockReading


def iso_time(at_ms: int) -> str:
    """A Unix time in milliseconds, as text: ``2026-01-31T12:00:00.000Z``."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_iso_second(seconds)}.{milliseconds:03}Z"


@lru_cache(4096)
def _iso_second(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat()[: -len("+00:00")]


def read_clocks() -> ClockReading:
    """Both clocks of this machine, now."""
    return ClockReading(time.monotonic(), time.time_ns() // 1_000_000)
