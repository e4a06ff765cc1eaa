"""The results that are kept for idempotency keys, in memory."""

from collections.abc import Sequence

from rollbook.journal.kept_results import KEPT_MS, KeptResult


class MemoryKeptResults:
    """Results that are kept in memory."""

    def __init__(self) -> None:
        self._results: dict[bytes, KeptResult] = {}

    def find(self, key: bytes) -> KeptResult | None:
        """The result that is kept for a key."""
        return self._results.get(key)

    def all(self) -> list[KeptResult]:
        """Every result that is kept."""
        return list(self._results.values())

    def keep(self, results: Sequence[KeptResult]) -> None:
        """Keep results, and forget those that are old."""
        if results:
            oldest_ms = max(result.at_ms for result in results) - KEPT_MS
            new = {result.key: result for result in results}
            self._results = {key: each for key, each in (self._results | new).items() if each.at_ms >= oldest_ms}
