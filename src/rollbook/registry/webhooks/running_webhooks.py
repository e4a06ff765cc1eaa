"""A webhook of a registry that runs: what it is, how far it has come, and who delivers to it.

One rule: a webhook has one deliverer at most, in the process that is the keeper.
"""

from msgspec import Struct

from rollbook.journal.webhook_store import Progress
from rollbook.registry.webhooks.delivering import Deliverer
from rollbook.registry.webhooks.records import Webhook
from rollbook.security.callers import Caller
from rollbook.security.sights import WHOLE


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


def is_for(caller: Caller, standing: RunningWebhook) -> bool:
    """Whether a webhook is shown to a caller: its own, and all to who sees everything that they are sent."""
    owner = standing.webhook.owner
    return caller.access.sight("watch") is WHOLE or (owner != "" and owner == caller.key)


def owner_in(caller: Caller) -> str:
    """With whose roles a webhook of this caller sees. In an open registry it is nobody's, and sees everything."""
    return "" if caller.kind == "anonymous" and caller.is_full else caller.key
