"""The Python client: a registry over HTTP, raising the errors that the registry itself raises.

One rule: it knows ``rollbook.errors`` and HTTP, and nothing else of Rollbook.
"""

from rollbook.client.connecting import Client
from rollbook.client.replies import Reply

__all__ = ["Client", "Reply"]
