"""Dead letters: what could not be delivered, for a caller to look at, to try again or to throw away."""

from typing import Protocol

from rollbook.documents.values import Document
from rollbook.errors import DeadLetterNotFound
from rollbook.journal.storing import StoreThread
from rollbook.journal.webhook_store import WebhookStore
from rollbook.registry.webhooks.delivering import Deliverer
from rollbook.registry.webhooks.records import letter_as_json
from rollbook.security.callers import Caller


class Owner(Protocol):
    """Who delivers to one webhook, if anybody does."""

    deliverer: Deliverer | None


class Owners(Protocol):
    """All webhooks."""

    def owned(self, caller: Caller, id: str) -> Owner:
        """The caller's webhook with this id; refuses (WebhookNotFound) when there is none."""
        ...


class DeadLetters:
    """The dead letters of all webhooks. Each method refuses (WebhookNotFound) an id that no webhook has."""

    def __init__(self, keep: StoreThread[WebhookStore], owners: Owners) -> None:
        self._keep = keep
        self._owners = owners

    async def list(self, caller: Caller, id: str) -> list[Document]:
        """All of a webhook, oldest first, without their messages."""
        self._owners.owned(caller, id)
        return [letter_as_json(letter) for letter in await self._keep(lambda store: store.letters.all(id))]

    async def read(self, caller: Caller, id: str, number: int) -> Document:
        """One, with its message where it has one. Refuses (DeadLetterNotFound) a number that none has."""
        self._owners.owned(caller, id)
        letter = await self._keep(lambda store: store.letters.get(id, number))
        if letter is None:
            raise _not_found(id, number)
        return letter_as_json(letter)

    async def retry(self, caller: Caller, id: str, number: int | None = None) -> int:
        """Try one again, or all that have a message; how many."""
        owner = self._owners.owned(caller, id)
        count = await self._keep(lambda store: store.letters.retry(id, number))
        if number is not None and not count:
            raise DeadLetterNotFound(f"the webhook {id!r} has no dead letter {number} with a message")
        if count and owner.deliverer is not None:
            owner.deliverer.deliver_letters()
        return count

    async def drop(self, caller: Caller, id: str, number: int | None = None) -> int:
        """Throw one away, or all; how many."""
        self._owners.owned(caller, id)
        count = await self._keep(lambda store: store.letters.drop(id, number))
        if number is not None and not count:
            raise _not_found(id, number)
        return count


def _not_found(id: str, number: int) -> DeadLetterNotFound:
    return DeadLetterNotFound(f"the webhook {id!r} has no dead letter {number}")
