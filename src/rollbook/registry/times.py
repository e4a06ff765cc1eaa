"""Times as the registry writes them: ISO 8601 in UTC, to the millisecond."""

from datetime import UTC, datetime


def iso_time(at_ms: int) -> str:
    """A Unix time in milliseconds, as text: ``2026-01-31T12:00:00.000Z``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
