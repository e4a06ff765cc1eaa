"""The webhooks and tokens of a demo, so that the screens and lists of these have something to show.

One rule: they come with the first cluster of a demo and go with the last. What a caller may not make is left out, and
so are tokens in an open registry, because the first one would close it.
"""

import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from rollbook.cli.demo.marking import PREFIX, REASON, Json, ids_of
from rollbook.cli.terminal import say
from rollbook.errors import RegistryError, RegistryUnreachable

if TYPE_CHECKING:
    from rollbook.client import AsyncClient

DAY_SECONDS = 86_400
# Names under "invalid" never resolve: deliveries fail without leaving the machine, and dead letters come of them.
WEBHOOKS: tuple[Json, ...] = (
    {
        "id": f"{PREFIX}capacity-board",
        "url": "https://board.example.invalid/capacity",
        "filter": {"gpus.count": {"$gte": 64}},
        "retry": {"attempts": 2},
    },
    {
        "id": f"{PREFIX}pager",
        "url": "https://pager.example.invalid/alerts",
        "filter": {"gpus.count": {"$gte": 100_000}},
    },
)
TOKENS = {f"{PREFIX}controller": "controller", f"{PREFIX}dashboard": "reader"}


async def make_surroundings(client: "AsyncClient") -> None:
    """Create those webhooks and tokens that are not there; nobody learns their secrets."""
    for_webhooks, for_tokens = await _allowed(client)
    there = {each["id"] for each in await client.webhooks.list()} if for_webhooks else set()
    for webhook in WEBHOOKS if for_webhooks else ():
        if webhook["id"] not in there:
            await _made(client.webhooks.create({**webhook, "description": REASON}), str(webhook["id"]))
    names = {each["name"] for each in await client.tokens.list()} if for_tokens else set(TOKENS)
    for name in TOKENS.keys() - names:
        expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + DAY_SECONDS))
        asked = {"name": name, "roles": [TOKENS[name]], "owner": REASON, "expiresAt": expires_at}
        await _made(client.tokens.create(asked), name)


async def _made(creation: Awaitable[object], name: str) -> None:
    """Create something that a demo can do without: a refusal is said."""
    try:
        await creation
    except RegistryUnreachable:
        raise
    except RegistryError as refusal:
        say(f"{name} is left out: {refusal.message}")


async def remove_surroundings(client: "AsyncClient") -> None:
    """Delete the webhooks and revoke the tokens, unless a cluster of a demo is there."""
    for_webhooks, for_tokens = await _allowed(client)
    if await ids_of(client):
        return
    made = {each["id"] for each in WEBHOOKS}
    for webhook in await client.webhooks.list() if for_webhooks else ():
        if webhook["id"] in made and webhook.get("description") == REASON:
            await client.webhooks.delete(webhook["id"])
    for token in await client.tokens.list() if for_tokens else ():
        if token["name"] in TOKENS and token.get("owner") == REASON:
            await client.tokens.revoke(token["id"])


async def _allowed(client: "AsyncClient") -> tuple[bool, bool]:
    """Whether webhooks may be made, and tokens."""
    access = await client.access.read()
    return "webhooks" in access["verbs"], "tokens" in access["verbs"] and access["enforcement"] != "open"
