"""Preconditions: which revision of a cluster a write is meant for.

One rule: they are judged when the command is decided, on the newest revision, and never before.
"""

from msgspec import Struct

from rollbook.errors import PreconditionFailed


class Precondition(Struct, frozen=True):
    """What ``If-Match`` and ``If-None-Match`` ask of the newest revision. None asks nothing; ``"*"`` means any."""

    matches: frozenset[str] | None = None
    differs: frozenset[str] | None = None

    def check(self, revision: int) -> None:
        """Refuses (PreconditionFailed) when the document at ``revision`` is not what the caller has seen."""
        if self.matches is not None and not self.matches & {"*", str(revision)}:
            raise PreconditionFailed(
                f"the document is at revision {revision}, which If-Match does not name: read it again, then decide"
            )
        if self.differs is not None and self.differs & {"*", str(revision)}:
            raise PreconditionFailed(f"the document is at revision {revision}, which If-None-Match excludes")


ANY_REVISION = Precondition()
