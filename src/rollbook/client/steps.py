"""What takes several calls, as generators: they yield calls and pauses, and are sent what came of them.

One rule: a generator decides what to send next; who sends it, and whether they wait or await, is none of its concern.
"""

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from rollbook.client.calls import Call

T = TypeVar("T")


class Pause(Struct, frozen=True):
    """A time in which nothing is sent."""

    seconds: float


Steps: TypeAlias = Generator[Call[Any] | Pause, Any, T]
"""Yields calls and pauses, is sent the results of calls, is thrown refusals, and returns a value."""
