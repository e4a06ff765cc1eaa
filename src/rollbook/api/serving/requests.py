"""A request as the connection has read it: whole, before anything acts on it."""

from collections.abc import Mapping


class IncomingRequest:
    """One request. ``known`` has each header once; ``client`` is the address of the client."""

    __slots__ = ("body", "client", "headers", "id", "keep_alive", "known", "method", "url", "version")

    known: Mapping[bytes, bytes]
    id: str
    """The request id that the client sent, or an empty string."""

    def __init__(self, client: str) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.known = {}
        self.method = b""
        self.version = "1.1"
        self.keep_alive = True
        self.client = client
        self.id = ""
        self.body = b""

    @property
    def path(self) -> bytes:
        """The address without its query string."""
        return self.url.partition(b"?")[0]
