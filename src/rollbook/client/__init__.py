"""The Python client: a registry over HTTP, raising the errors that the registry itself raises.

One rule: it knows ``rollbook.errors`` and HTTP, and nothing else of Rollbook.
"""

from rollbook.client.connecting import AsyncClient, Client
from rollbook.client.replies import Page, Reply
from rollbook.client.retrying import NEVER, Retries

__all__ = ["NEVER", "AsyncClient", "Client", "Page", "Reply", "Retries"]
