"""The registry itself: its version, the schema of its documents, the description of its API, its metrics."""

from collections.abc import Sequence

from rollbook.client.calls import Call, Decoder, Json, Stream
from rollbook.client.replies import nothing, text, value

BEGIN_SECONDS_MAX = 3600
"""A backup begins once all has been copied."""


def version() -> Call[Json]:
    """Which version of Rollbook answers."""
    return Call("GET", "/version", value, repeatable=True)


def schema() -> Call[Json]:
    """The JSON Schema of a cluster document."""
    return Call("GET", "/schema", value, repeatable=True)


def openapi() -> Call[Json]:
    """The description of the API in OpenAPI 3.1."""
    return Call("GET", "/openapi.json", value, repeatable=True)


def metrics() -> Call[str]:
    """The registry's metrics, as Prometheus reads them."""
    return Call("GET", "/metrics", text, repeatable=True)


def running() -> Call[list[Json]]:
    """The requests that the server is answering now, the longest first."""
    return Call("GET", "/debug/requests", value, repeatable=True)


def ready() -> Call[Json]:
    """Whether the registry can be used, and what of it can't; raises what prevents it."""
    return Call("GET", "/readyz", value, repeatable=True)


def backup() -> Stream[bytes]:
    """A backup of the whole registry, piece by piece as it arrives."""
    return Stream(Call("GET", "/backup", nothing, repeatable=True, read_seconds=BEGIN_SECONDS_MAX), Pieces)


class Pieces(Decoder[bytes]):
    """The bytes of an answer as they are."""

    def feed(self, data: bytes) -> Sequence[bytes]:
        return (data,)

    def end(self) -> Sequence[bytes]:
        return ()
