"""A webhook of a registry that runs: what it is, how far it has come, and who delivers to it.

One rule: a webhook has one deliverer at most, in the process that is the keeper.
"""

from msgspec import Struct

from rollbook.journal.webhook_store import Progress
from rollbook.registry.webhooks.delivering import Deliverer
from rollbook.registry.webhooks.records import Webhook


class RunningWebhook(Struct):
    """One webhook: how far it had come when nothing delivered to it, or who delivers; and what of that is kept."""

    webhook: Webhook
    at_rest: Progress
    kept: Progress
    deliverer: Deliverer | None = None

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self.at_rest if self.deliverer is None else self.deliverer.progress

    async def rest(self, *, grace_seconds: float = 0.0) -> None:
        """Let nobody deliver."""
        if self.deliverer is not None:
            await self.deliverer.stop(grace_seconds=grace_seconds)
            self.at_rest, self.deliverer = self.deliverer.progress, None
