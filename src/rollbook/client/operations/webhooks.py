"""Webhooks: changes that a registry delivers to a URL, and what it could not deliver."""

from typing import Any

from rollbook.client.calls import Call, Json, encoded, path_of
from rollbook.client.replies import nothing, value


def create(webhook: Json) -> Call[Json]:
    """Register a webhook. The answer holds its secret, which no other does."""
    return Call("POST", "/webhooks", value, body=encoded(webhook), repeatable="id" in webhook)


def list_webhooks() -> Call[list[Json]]:
    """All webhooks."""
    return Call("GET", "/webhooks", value, repeatable=True)


def read(id: str) -> Call[Json]:
    """One webhook, and how its deliveries stand."""
    return Call("GET", path_of("webhooks", id), value, repeatable=True)


def replace(id: str, webhook: Json) -> Call[Json]:
    """Put another registration in the place of a webhook's. Refused when there is none."""
    return Call("PUT", path_of("webhooks", id), value, body=encoded(webhook), repeatable=True)


def patch(id: str, patch: Json) -> Call[Json]:
    """Change members of a webhook."""
    return Call("PATCH", path_of("webhooks", id), value, body=encoded(patch))


def delete(id: str) -> Call[None]:
    """Delete a webhook, and what it could not deliver."""
    return Call("DELETE", path_of("webhooks", id), nothing)


def replay(id: str, since: Any = None) -> Call[Json]:
    """Deliver again what changed after revision ``since``."""
    body = encoded({} if since is None else {"since": since})
    return Call("POST", path_of("webhooks", id, "replay"), value, body=body)


def dead_letters(id: str) -> Call[list[Json]]:
    """What could not be delivered."""
    return Call("GET", path_of("webhooks", id, "dead-letters"), value, repeatable=True)


def dead_letter(id: str, number: int) -> Call[Json]:
    """One message that could not be delivered."""
    return Call("GET", path_of("webhooks", id, "dead-letters", str(number)), value, repeatable=True)


def retry_dead_letters(id: str) -> Call[Json]:
    """Deliver all that could not be delivered after all."""
    return Call("POST", path_of("webhooks", id, "dead-letters", "retry"), value)


def retry_dead_letter(id: str, number: int) -> Call[Json]:
    """Deliver one message after all."""
    return Call("POST", path_of("webhooks", id, "dead-letters", str(number), "retry"), value)


def drop_dead_letters(id: str) -> Call[None]:
    """Give up all that could not be delivered."""
    return Call("DELETE", path_of("webhooks", id, "dead-letters"), nothing)


def drop_dead_letter(id: str, number: int) -> Call[None]:
    """Give up one message."""
    return Call("DELETE", path_of("webhooks", id, "dead-letters", str(number)), nothing)
