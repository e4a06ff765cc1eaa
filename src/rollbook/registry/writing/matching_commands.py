"""The command that is carried out only while its cluster matches a filter: one of many that a filter has selected."""

from msgspec import Struct

from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.values import Document
from rollbook.errors import ClusterNotFound
from rollbook.language.filters import Filter
from rollbook.limits import RequestBudget
from rollbook.registry.writing.commands import Command, Current, Decision, RegistryFields, is_met

PASSED_OVER = "passed over"
"""The outcome of a command whose cluster matches no longer."""


class WhileMatching(Struct, frozen=True):
    """Carry out a command if the newest document matches. ``facts`` are there when the filter looks at ``_registry``.

    Refuses (ClusterNotFound) a cluster that is gone.
    """

    command: Command
    filter: Filter
    facts: RegistryFields | None = None

    @property
    def id(self) -> str:
        """The cluster that it is about."""
        return self.command.id

    @property
    def verb(self) -> str:
        """The verb that it takes."""
        return self.command.verb

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        if not is_met(self.filter, decode_stored(current.body), current, self.facts, budget):
            return Decision(None, current.body, outcome=PASSED_OVER)
        return self.command.decide(current, budget)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return self.command.proposed(before, budget)
