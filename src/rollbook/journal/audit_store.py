"""What keeps the audit log of a registry that several processes share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from rollbook.journal.audit_copies import AuditLines

AuditFacts: TypeAlias = tuple[str, str, str, Mapping[str, Any]]
"""When (ISO 8601), by whom, what, and further members of the entry."""


class SharedAuditStore(AuditLines, Protocol):
    """One log of all processes, each entry of which names the digest of the one before it.

    Methods block, and fail (JournalUnavailable) while the engine is away.
    """

    def append_all(self, entries: Sequence[AuditFacts]) -> None:
        """Log events, durably, all or none. One thread calls this. Fails (JournalUnavailable)."""
        ...

    def entries(self, *, since: int = 0) -> Iterator[dict[str, Any]]:
        """The entries after sequence number ``since``, oldest first. Any thread may. Fails (JournalUnavailable)."""
        ...

    def close(self) -> None:
        """Release the connections. Closing twice is harmless."""
        ...
