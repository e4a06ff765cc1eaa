"""The traces that deliveries continue: those of the requests that made the changes."""

from msgspec import Struct, field

from rollbook.registry.feed.change_traces import ChangeTraces
from rollbook.steps import Span, Tracer


class DeliveryTraces(Struct, frozen=True):
    """What continues traces (None: nothing does), and the traces of the changes."""

    tracer: Tracer | None = None
    changes: ChangeTraces = field(default_factory=ChangeTraces)

    def begin(self, revision: int, webhook: str) -> Span | None:
        """The span of an attempt at the message of a change; None when the change has no trace."""
        if self.tracer is None:
            return None
        carrier = self.changes.of(revision)
        return self.tracer.follow("webhook", carrier, webhook=webhook, revision=revision) if carrier else None


NO_TRACES = DeliveryTraces()
