"""Counts of HTTP requests: operation, status, duration, caller; and which requests are running.

One rule: what a request is counted under comes from our routes, never from its sender, so there is an end to it: the
path is the route's, with ``{id}`` where an id was.
"""

from collections import Counter
from collections.abc import Mapping
from time import perf_counter
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rollbook.api.metrics.caller_counts import SHORTCUTS, CallerCounts
from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.histograms import Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROUTE = "rollbook.route"
"""Where the application leaves the path of the route in the scope of a request."""

OTHER = "other"
"""The method of a request that has none of these, and the route of one that has none."""


class AnswerCounts(NamedTuple):
    """How requests of one kind were answered. ``status`` is the class: ``2xx``."""

    route: str
    method: str
    status: str


class RequestCounts:
    """All requests that were answered, with the time until their answers began."""

    def __init__(self) -> None:
        self._answers: dict[AnswerCounts, Histogram] = {}
        self.callers = CallerCounts()
        self.running: set[RunningRequest] = set()
        """What is being answered now."""
        self.refusals: Counter[tuple[str, str]] = Counter()
        """How many requests were refused because of who asked, by the verb that was lacking and what became of them."""
        self.loop_lag = Histogram()
        """How late the event loop came to what was due, ten times a second."""

    @property
    def direct(self) -> Mapping[str, int]:
        """How many answers of each shortcut went out without the application."""
        return {name: self.callers.direct(name) for name in SHORTCUTS}

    def of(self, route: str, method: str, status: int) -> Histogram:
        """Where to count an answer."""
        answer = AnswerCounts(route, method if method in METHODS else OTHER, f"{status // 100}xx")
        durations = self._answers.get(answer)
        if durations is None:
            durations = self._answers[answer] = Histogram()
        return durations

    def answers(self) -> Mapping[AnswerCounts, Histogram]:
        """The requests so far, by how they were answered."""
        return dict(self._answers)


class Counted:
    """Counts what an application answers, under the route that it leaves in the scope."""

    def __init__(self, app: ASGIApp, traffic: RequestCounts) -> None:
        self._app = app
        self._traffic = traffic
        self._known: dict[tuple[str | None, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked = scope.get(ROUTE), scope["method"], message["status"]
                (self._known.get(asked) or self._place_of(*asked)).add(perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)

    def _place_of(self, route: str | None, method: str, status: int) -> Histogram:
        place = self._traffic.of(route or OTHER, method, status)
        if method in METHODS:
            self._known[route, method, status] = place
        return place
