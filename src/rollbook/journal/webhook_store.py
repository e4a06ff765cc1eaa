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


LETTERS_MAX = 1_000
LETTER_BYTES_MAX = 32 * 1024 * 1024
"""How many dead letters of one webhook are kept, and how many bytes of messages (UTF-8); the newest is in any case."""


class DeadLetterStore(Protocol):
    """What could not be delivered, stored, of every webhook. It is part of a ``WebhookStore``, and fails as that does.

    Numbers of letters go up, over all webhooks, and no number is used twice.
    """

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """Keep a dead letter (its number is given here, ``retry`` is False) and the progress past it, in one step.

        The oldest letters make room (LETTERS_MAX, LETTER_BYTES_MAX). Of a webhook that is gone nothing is kept.
        """
        ...

    def counts(self) -> dict[str, tuple[int, int]]:
        """For every webhook, how many dead letters there are, and how many had to make room."""
        ...

    def all(self, id: str) -> list[Letter]:
        """The dead letters of a webhook, oldest first, without their bodies."""
        ...

    def get(self, id: str, number: int) -> Letter | None:
        """One dead letter, with its body; None when the webhook has none with this number."""
        ...

    def due(self, id: str) -> Letter | None:
        """The oldest dead letter that is to be delivered after all, with its body."""
        ...

    def retry(self, id: str, number: int | None = None) -> int:
        """Set ``retry`` on one dead letter, or on all of the webhook, that have a body; how many."""
        ...

    def drop(self, id: str, number: int | None = None) -> int:
        """Delete one dead letter, or all of the webhook; how many."""
        ...

    def fail(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """Record that another attempt at a dead letter failed. That ends the retries of all others of the webhook."""
        ...


class WebhookStore(Protocol):
    """Webhooks, stored. Methods block, and one thread calls them.

    All fail (JournalUnavailable) when the disk does, and then nothing has changed.
    """

    @property
    def letters(self) -> DeadLetterStore:
        """What could not be delivered."""
        ...

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """Every webhook, in order of creation."""
        ...

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """Keep a webhook, in place of the one with its id, and how far it has come."""
        ...

    def forget(self, id: str) -> None:
        """Forget a webhook and all that belongs to it. Does nothing when there is none."""
        ...

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """Keep how far some webhooks have come. A webhook that is gone stays gone."""
        ...

    def close(self) -> None:
        """Release what it holds. Closing twice is harmless."""
        ...
