"""The Python client: a registry over HTTP, raising the errors that the registry itself raises.

One rule: it knows ``rollbook.errors`` and HTTP, and nothing else of Rollbook.
"""

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
