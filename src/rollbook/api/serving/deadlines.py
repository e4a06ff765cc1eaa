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


class Lingering:
    """The time after the last answer in which a client is listened to that may still be sending.

    A connection that is closed on what was not read is reset, and the client would lose the answer.
    """

    __slots__ = ("_began", "_heard")

    def __init__(self, now: float) -> None:
        self._began = self._heard = now

    def hear(self, now: float) -> None:
        """The client sends still."""
        self._heard = now

    def is_over(self, now: float, patience: Patience) -> bool:
        """Whether the client has been silent for long enough, or has been listened to for long enough."""
        return now - self._heard >= patience.linger_seconds or now - self._began >= patience.linger_seconds_max


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
