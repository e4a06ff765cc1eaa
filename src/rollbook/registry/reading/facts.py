"""What the registry knows about a document beside what it holds: given on request, under ``_registry``."""

from rollbook.clusters.liveness import STATUS
from rollbook.clusters.nodes import node_id, nodes_in
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document, Value
from rollbook.registry.feed.times import iso_time
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.reading.registry_columns import ColumnsNow, RegistryColumns
from rollbook.registry.writing.commands import Current
from rollbook.view.entries import Entry

OF_THE_DOCUMENT = frozenset({"nodes", "formerStatus"})
"""What a lease knows that its cluster's document said once."""


class Facts:
    """What is known about an entry, as of now. Safe to call from any thread."""

    def __init__(
        self, leases: LeaseFacts | None = None, *, columns: RegistryColumns | None = None, narrowed: bool = False
    ) -> None:
        self._leases = leases
        self._columns = columns
        self._narrowed = narrowed

    def as_of_now(self) -> "Facts":
        """The same facts at one fixed time, so that the parts of one answer are consistent."""
        if self._leases is None:
            return self
        return Facts(self._leases.as_of_now(), columns=self._columns, narrowed=self._narrowed)

    def of_what_is_seen(self) -> "Facts":
        """The same facts for a caller from whom something is hidden: of nodes and of a status that its document of the
        cluster does not have, nothing is known."""
        return Facts(self._leases, columns=self._columns, narrowed=True)

    def columns(self) -> ColumnsNow | None:
        """The same facts as columns, as of now, for the thread that applies changes; None where there are none."""
        if self._leases is None or self._columns is None:
            return None
        return ColumnsNow(self._columns, self._leases.now(), self._narrowed)

    def of(self, entry: Entry | Current) -> dict[str, Value]:
        """Its revision (an integer), when it was created, last changed and given its status (ISO 8601, UTC), and
        whether it is protected.

        And what its heartbeats say, if there are leases: nobody knows that of the past.
        """
        return {
            "revision": entry.revision,
            "createdAt": iso_time(entry.created_at_ms),
            "updatedAt": iso_time(entry.updated_at_ms),
            **({} if self._hides_status(entry) else {"statusSince": iso_time(entry.status_since_ms)}),
            "protected": entry.protected,
            **({} if self._leases is None else self._of_lease(entry, self._leases)),
        }

    def _hides_status(self, entry: Entry | Current) -> bool:
        return self._narrowed and STATUS not in decode_stored(entry.body)

    def _of_lease(self, entry: Entry | Current, leases: LeaseFacts) -> Document:
        facts = leases.of(entry)
        if self._narrowed and facts.keys() & OF_THE_DOCUMENT:
            document = decode_stored(entry.body)
            if STATUS not in document:
                facts.pop("formerStatus", None)
            if isinstance(nodes := facts.pop("nodes", None), list):
                listed = set(map(node_id, nodes_in(document)))
                if known := [node for node in nodes if node_id(node) in listed]:
                    facts["nodes"] = known
        return facts

    def document_of(self, entry: Entry) -> Document:
        """The entry's document with what is known about it."""
        return {**decode_stored(entry.body), REGISTRY_FIELD: self.of(entry)}
