"""Totals over all webhooks, for metrics; each webhook reports its own state."""

from collections.abc import Iterable
from typing import Any, cast

from msgspec import Struct

from rollbook.documents.values import Document
from rollbook.registry.webhooks.records import STATES


class WebhookMetrics(Struct, frozen=True):
    """``lag``: how many changes the slowest of those that are enabled has before it. Letters are those of all."""

    states: dict[str, int]
    lag: int
    letters: int
    letters_dropped: int


def metrics_of(webhooks: Iterable[Document]) -> WebhookMetrics:
    """The metrics of webhooks as their callers see them (see ``Webhooks.describe``)."""
    statuses = [cast(dict[str, Any], webhook["status"]) for webhook in webhooks]
    states = dict.fromkeys(STATES, 0)
    for status in statuses:
        states[status["state"]] += 1
    return WebhookMetrics(
        states,
        lag=max((status["lag"] for status in statuses if status["state"] != "disabled"), default=0),
        letters=sum(status["deadLetters"] for status in statuses),
        letters_dropped=sum(status["deadLettersDropped"] for status in statuses),
    )
