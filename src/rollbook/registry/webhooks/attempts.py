"""Attempts to bring a message to a target: one at a time, signed anew each time, with pauses that grow.

One rule: every attempt at a change has the same ``webhook-id``, by which a receiver knows that it has it already.
"""

import asyncio
from collections.abc import Callable

from rollbook.registry.webhooks.outcomes import Sent
from rollbook.registry.webhooks.records import Webhook
from rollbook.registry.webhooks.sending import Connection
from rollbook.registry.webhooks.signing import signature_headers
from rollbook.registry.webhooks.targets import Retry
from rollbook.registry.webhooks.traces import NO_TRACES, DeliveryTraces


class Attempts:
    """The attempts of one webhook, one at a time. One that is cancelled has no outcome."""

    def __init__(
        self, webhook: Webhook, line: Connection, *, now_ms: Callable[[], int], tracing: DeliveryTraces = NO_TRACES
    ) -> None:
        self._webhook = webhook
        self._line = line
        self._now_ms = now_ms
        self._tracing = tracing
        self._under_way: asyncio.Task[Sent] | None = None

    async def make(self, revision: int, body: bytes) -> Sent | None:
        """Send the message of a revision once; None when that was broken off."""
        webhook, now_ms = self._webhook, self._now_ms()
        id, at_seconds = f"{webhook.id}_{revision}", now_ms // 1000
        span = self._tracing.begin(revision, webhook.id)
        headers = signature_headers(webhook.keys(now_ms), id=id, at_seconds=at_seconds, body=body)
        if span is not None:
            headers |= span.carrier
        sending = self._line.send(webhook.target.url, headers, body, seconds=webhook.target.timeout_seconds)
        self._under_way = asyncio.create_task(sending)
        try:
            await asyncio.wait([self._under_way])
            sent = None if self._under_way.cancelled() else self._under_way.result()
        finally:
            self._under_way = None
        if span is not None:
            span.end("broken off" if sent is None else sent.problem)
        return sent

    async def stop(self, *, grace_seconds: float) -> None:
        """Let the attempt that is under way end within some time, and else break it off."""
        if self._under_way is not None:
            attempt = self._under_way
            await asyncio.wait([attempt], timeout=grace_seconds)
            attempt.cancel()

    async def close(self) -> None:
        """Close the line."""
        await self._line.close()


def pause_seconds(retry: Retry, attempts: int, asked_seconds: float, chance: float) -> float:
    """How long to wait after ``attempts`` failed: about twice as long each time, or as long as the target asks.

    ``chance``, from 0 to 1, spreads those who failed together.
    """
    whole = min(retry.first_seconds * 2.0 ** (attempts - 1), retry.longest_seconds)
    return max(whole * (0.5 + chance / 2), min(asked_seconds, retry.longest_seconds))
