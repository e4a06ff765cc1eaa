"""Steps: what one request is made of, recorded for its trace and for the log of slow requests.

One rule: nothing is recorded unless it is wanted. ``STEPS`` holds None then, and to look at it is all that it costs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from typing import NamedTuple, Protocol, TypeAlias

Fact: TypeAlias = str | int | float | bool

NO_CARRIER: Mapping[str, str] = {}
STEPS_MAX = 100
"""At most this many steps of one request are recorded: an import has some for each of its lines."""


class Step(NamedTuple):
    """One step, with its begin and end (Unix ns). ``within``: the name of the step that it is a part of."""

    name: str
    begun_ns: int
    ended_ns: int
    facts: Mapping[str, Fact]
    within: str | None = None

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return max(0, self.ended_ns - self.begun_ns) / 1e6


class Steps:
    """The steps of one request so far; ``more``: how many others it had.

    ``carrier``: the headers by which others continue its trace, if it has one.
    """

    __slots__ = ("carrier", "more", "taken")

    def __init__(self, carrier: Mapping[str, str] = NO_CARRIER) -> None:
        self.carrier = carrier
        self.taken: list[Step] = []
        self.more = 0

    def add(self, name: str, times: tuple[int, int], *, within: str | None = None, **facts: Fact) -> None:
        """Record a step that has ended."""
        self.take(Step(name, *times, facts, within))

    def take(self, step: Step) -> None:
        """Record a step, or count it where there are many."""
        if len(self.taken) < STEPS_MAX:
            self.taken.append(step)
        else:
            self.more += 1


STEPS: ContextVar[Steps | None] = ContextVar("steps", default=None)
"""Where the steps of the request that is being answered are recorded; None: they are not."""


@contextmanager
def step(name: str, **facts: Fact) -> Iterator[None]:
    """Record the block as a step, if anybody wants it."""
    steps = STEPS.get()
    if steps is None:
        yield
        return
    begun_ns = time_ns()
    try:
        yield
    finally:
        steps.take(Step(name, begun_ns, time_ns(), facts))


class Span(Protocol):
    """A part of a trace that is under way. ``carrier``: the headers by which others continue it."""

    @property
    def carrier(self) -> Mapping[str, str]:
        """The headers ``traceparent`` and ``tracestate``."""
        ...

    def end(self, problem: str | None = None, **facts: Fact) -> None:
        """End it; ``problem`` says why it failed."""
        ...


class RequestSpan(Protocol):
    """The span of a request; see ``Span``."""

    @property
    def carrier(self) -> Mapping[str, str]:
        """The headers ``traceparent`` and ``tracestate``."""
        ...

    def end_request(self, name: str, status: int, steps: Steps, facts: Mapping[str, Fact]) -> None:
        """End it, with the steps of the request below it. ``status`` 0: the client went away."""
        ...


class Tracer(Protocol):
    """Continues traces: for what happens because of a request, after it."""

    def follow(self, name: str, carrier: Mapping[str, str], **facts: Fact) -> Span:
        """Begin a span of a call to somebody else, below the one that ``carrier`` stands for."""
        ...
