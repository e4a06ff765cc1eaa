"""A request as the connection has read it: whole, before anything acts on it."""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.api.metrics.caller_counts import CallerTally
from rollbook.api.serving.body_streams import BodyStream
from rollbook.security.callers import Caller
from rollbook.steps import RequestSpan, Steps

NO_HEADERS: Mapping[str, str] = {}


class IncomingRequest:
    """One request. ``known`` has each header once; ``client`` is the address of the client.

    What most requests have alike stands in the class: a request costs less that way.
    """

    url = b""
    method = b"GET"
    version = "1.1"
    keep_alive = True
    body = b""
    scheme = "http"
    limits: Mapping[str, str] = NO_HEADERS
    """Headers that say how many more requests its caller may send."""
    cors = b""
    """Headers of the answer that let a page of another origin read it."""
    id = ""
    """The request id that the client sent, or an empty string."""
    stream: BodyStream | None = None
    """The body of a request that is answered while it arrives; None where the body is whole."""
    known: Mapping[bytes, bytes] = MappingProxyType({})
    caller: Caller
    """Who sends it, once it is recognised."""
    tally: CallerTally
    """Where requests of this caller are counted."""
    is_observed = False
    """Whether it was decided if its trace is sampled."""
    span: RequestSpan | None = None
    """Its span; None where it has no trace that is sampled."""
    steps: Steps | None = None
    """Where its steps are recorded; None where they are not."""

    def __init__(self, client: str) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.client = client

    @property
    def has_headers(self) -> bool:
        """Whether its headers are read; before that its method is not known, nor the whole of its address."""
        return "known" in vars(self)

    @property
    def path(self) -> bytes:
        """The address without its query string."""
        return self.url.partition(b"?")[0]


class SecureRequest(IncomingRequest):
    """A request that came over TLS."""

    scheme = "https"
