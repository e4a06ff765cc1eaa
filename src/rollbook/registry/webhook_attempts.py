"""Attempts to bring a message to a target: one at a time, signed anew each time, with pauses that grow.

One rule: every attempt at a change has the same ``webhook-id``, by which a receiver knows that it has it already.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rollbook.registry.webhook_records import Webhook
from rollbook.registry.webhook_sending import Sent
from rollbook.registry.webhook_signing import signature_headers
from rollbook.registry.webhook_targets import Retry


class Post(Protocol):
    """Sends a message once. ``webhook_sending.Sender.send`` is one."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes, *, seconds: float) -> Awaitable[Sent]:
        """What came of it."""
        ...


class Attempts:
    """The attempts of one webhook. The one who waits for an attempt is told when it is broken off."""

    def __init__(self, webhook: Webhook, post: Post, *, now_ms: Callable[[], int]) -> None:
        self._webhook = webhook
        self._post = post
        self._now_ms = now_ms
        self._under_way: asyncio.Future[Sent] | None = None

    async def make(self, revision: int, body: bytes) -> Sent | None:
        """Send the message of a revision once; None when that was broken off."""
        webhook, now_ms = self._webhook, self._now_ms()
        id, at_seconds = f"{webhook.id}_{revision}", now_ms // 1000
        headers = signature_headers(webhook.keys(now_ms), id=id, at_seconds=at_seconds, body=body)
        post = self._post(webhook.target.url, headers, body, seconds=webhook.target.timeout_seconds)
        self._under_way = asyncio.ensure_future(post)
        try:
            await asyncio.wait([self._under_way])
            return None if self._under_way.cancelled() else self._under_way.result()
        finally:
            self._under_way = None

    async def stop(self, *, grace_seconds: float) -> None:
        """Let the attempt that is under way end within some time, and else break it off."""
        if self._under_way is not None:
            attempt = self._under_way
            await asyncio.wait([attempt], timeout=grace_seconds)
            attempt.cancel()


def pause_seconds(retry: Retry, attempts: int, asked_seconds: float, chance: float) -> float:
    """How long to wait after ``attempts`` failed: about twice as long each time, or as long as the target asks.

    ``chance``, from 0 to 1, spreads those who failed together.
    """
    whole = min(retry.first_seconds * 2.0 ** (attempts - 1), retry.longest_seconds)
    return max(whole * (0.5 + chance / 2), min(asked_seconds, retry.longest_seconds))
