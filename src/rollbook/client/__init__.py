"""The Python client: a registry over HTTP, raising the errors that the registry itself raises.

One rule: it knows ``rollbook.errors`` and HTTP, and nothing else of Rollbook. Names are imported when they are first
asked for, so that a program without asyncio does not import it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollbook.client.asynchronous import AsyncClient
    from rollbook.client.beating import AsyncHeartbeater, Heartbeater
    from rollbook.client.blocking import Client
    from rollbook.client.documents import Cluster, Node
    from rollbook.client.informing import AsyncInformer, Informer
    from rollbook.client.replies import Page, Reply, Snapshot
    from rollbook.client.retrying import NEVER, Retries
    from rollbook.client.tables import Table
    from rollbook.client.watching import AsyncWatch, Watch

__all__ = [
    "NEVER",
    "AsyncClient",
    "AsyncHeartbeater",
    "AsyncInformer",
    "AsyncWatch",
    "Client",
    "Cluster",
    "Heartbeater",
    "Informer",
    "Node",
    "Page",
    "Reply",
    "Retries",
    "Snapshot",
    "Table",
    "Watch",
]

HOMES = {
    "AsyncClient": "asynchronous",
    "AsyncHeartbeater": "beating",
    "AsyncInformer": "informing",
    "AsyncWatch": "watching",
    "Client": "blocking",
    "Cluster": "documents",
    "Heartbeater": "beating",
    "Informer": "informing",
    "NEVER": "retrying",
    "Node": "documents",
    "Page": "replies",
    "Reply": "replies",
    "Retries": "retrying",
    "Snapshot": "replies",
    "Table": "tables",
    "Watch": "watching",
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
