"""What the registry knows about a document beside what it holds: given on request, under ``_registry``."""

from collections.abc import Sequence

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_stored
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.registry.feed.times import iso_time
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.writing.commands import Current
from rollbook.view.entries import Entry


class Facts:
    """What is known about an entry, as of now. Safe to call from any thread."""

    def __init__(self, leases: LeaseFacts | None = None) -> None:
        self._leases = leases

    def as_of_now(self) -> "Facts":
        """The same facts at one fixed time, so that the parts of one answer are consistent."""
        return self if self._leases is None else Facts(self._leases.as_of_now())

    def of(self, entry: Entry | Current) -> dict[str, Value]:
        """Its revision (an integer), when it was created, last changed and given its status (ISO 8601, UTC), and
        whether it is protected.

        And what its heartbeats say, if there are leases: nobody knows that of the past.
        """
        return {
            "revision": entry.revision,
            "createdAt": iso_time(entry.created_at_ms),
            "updatedAt": iso_time(entry.updated_at_ms),
            "statusSince": iso_time(entry.status_since_ms),
            "protected": entry.protected,
            **({} if self._leases is None else self._leases.of(entry)),
        }

    def fields_of(self, entries: Sequence[Entry], name: str) -> list[Maybe]:
        """One of the fields of ``of`` for each entry; MISSING where it is not there."""
        match name:
            case "revision":
                return [entry.revision for entry in entries]
            case "createdAt":
                return [iso_time(entry.created_at_ms) for entry in entries]
            case "updatedAt":
                return [iso_time(entry.updated_at_ms) for entry in entries]
            case "protected":
                return [entry.protected for entry in entries]
            case "liveness" if self._leases is not None:
                return [*self._leases.livenesses(entries)]
        return [self.of(entry).get(name, MISSING) for entry in entries]

    def document_of(self, entry: Entry) -> Document:
        """The entry's document with what is known about it."""
        return {**decode_stored(entry.body), REGISTRY_FIELD: self.of(entry)}
