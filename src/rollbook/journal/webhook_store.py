"""What is kept of webhooks, and what a store of them is: registrations, progress, and what could not be delivered."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

LetterKind: TypeAlias = Literal["undelivered", "compacted", "unjudged"]
"""Why: every attempt failed; the changes were no longer kept; the filter could not be evaluated on the change."""


class WebhookRow(NamedTuple):
    """A webhook as it is kept. ``target`` is JSON, and ``former``: an array of former secrets and their ends."""

    id: str
    created_at_ms: int
    updated_at_ms: int
    target: str
    secret: str
    former: str = "[]"


class Progress(NamedTuple):
    """How far a webhook has come. Nothing up to ``revision`` is to be delivered any more.

    ``attempts`` failed for the change that is next, and another is due at ``next_attempt_ms``. Then the last success
    and the last error, 0 when there was none, and the newest change that was gone before it could be delivered.
    """

    revision: int
    attempts: int = 0
    next_attempt_ms: int = 0
    success_at_ms: int = 0
    success_revision: int = 0
    error_at_ms: int = 0
    error_revision: int = 0
    error: str = ""
    missed_up_to: int = 0


class Letter(NamedTuple):
    """What was not delivered: one change, or all from ``first_revision`` to ``revision`` when they are gone.

    ``body`` is the message, where there is one (and it was asked for). ``retry``: it shall be delivered after all.
    """

    number: int
    kind: LetterKind
    first_revision: int
    revision: int
    at_ms: int
    attempts: int
    problem: str
    retry: bool = False
    body: str | None = None


class WebhookStore(Protocol):
    """Webhooks, stored. Methods block, and one thread calls them; all fail (JournalUnavailable) when the disk does."""

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """Every webhook, in order of creation."""
        ...

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """Keep a webhook and how far it has come. Fails (JournalUnavailable) when the disk does."""
        ...

    def forget(self, id: str) -> None:
        """Forget a webhook and all that belongs to it. Fails (JournalUnavailable) when the disk does."""
        ...

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """Keep how far some webhooks have come. Fails (JournalUnavailable) when the disk does."""
        ...

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """Keep a dead letter (its number is given here) and the progress past it; the oldest letters make room."""
        ...

    def letter_counts(self) -> dict[str, tuple[int, int]]:
        """For every webhook, how many dead letters there are, and how many had to make room."""
        ...

    def letters(self, id: str) -> list[Letter]:
        """The dead letters of a webhook, oldest first, without their bodies."""
        ...

    def letter(self, id: str, number: int) -> Letter | None:
        """One dead letter."""
        ...

    def due_letter(self, id: str) -> Letter | None:
        """The oldest dead letter that shall be delivered after all."""
        ...

    def retry_letters(self, id: str, number: int | None = None) -> int:
        """Say of one dead letter, or of all that have a body, that it shall be delivered after all; how many."""
        ...

    def drop_letters(self, id: str, number: int | None = None) -> int:
        """Forget one dead letter, or all; how many."""
        ...

    def leave_letters(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """Write down that another attempt at a dead letter failed: with it end the retries of all others."""
        ...

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        ...
