"""Deadlines of a connection: how long headers and a body may take, and how slowly an answer may be read.

One rule: a client may be slow, but not without end: a body, and the reading of an answer, have a least rate.
"""

from msgspec import Struct

from rollbook.api.serving.reading import RequestReader
from rollbook.errors import BodyIncomplete, HeadIncomplete, RegistryError


class Patience(Struct, frozen=True):
    """How long a connection may take. Seconds, and the least rate of a body or of reading an answer."""

    idle_seconds: float = 75.0
    head_seconds: float = 30.0
    pause_seconds: float = 20.0
    write_seconds: float = 20.0
    bytes_per_second: int = 4096
    linger_seconds: float = 2.0
    linger_seconds_max: float = 10.0


def overdue(reader: RequestReader, now: float, patience: Patience) -> RegistryError | None:
    """The refusal of a request whose headers or body do not come in time; None while they may still come."""
    waited, paused = now - reader.since, now - reader.body_at
    if reader.phase == "head" and waited >= patience.head_seconds:
        return HeadIncomplete(f"the headers were not whole after {patience.head_seconds:g} s")
    if reader.phase == "body" and paused >= patience.pause_seconds:
        return BodyIncomplete(
            f"no more of the body came for {patience.pause_seconds:g} s: is it shorter than its Content-Length says?"
        )
    if reader.phase == "body" and waited >= patience.pause_seconds + reader.body_bytes / patience.bytes_per_second:
        return BodyIncomplete(f"the body comes at less than {patience.bytes_per_second} bytes per second")
    return None
