"""Requests that are being answered now."""

from time import perf_counter, time
from typing import Any

from msgspec import Struct
from starlette.types import Scope

from rollbook.api.serving.requests import IncomingRequest
from rollbook.security.issuing import time_of
from rollbook.security.tokens import without_tokens

OPERATION = "rollbook.operation"
"""Where the application leaves the name of the operation in the scope of a request."""


class RunningRequest(Struct, eq=False):
    """One request: ``begun`` is when it was whole (seconds of ``perf_counter``); ``id`` is empty where it has none.

    ``scope`` is what the application is given; None: a shortcut answers it. ``answered`` is when its answer began.
    """

    request: IncomingRequest
    begun: float
    id: str = ""
    scope: Scope | None = None
    answered: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return perf_counter() - self.begun

    @property
    def operation(self) -> str | None:
        """The name of its operation; None as long as that is not known."""
        return "updateCluster" if self.scope is None else self.scope.get(OPERATION)

    def as_json(self) -> dict[str, Any]:
        """The request as ``GET /debug/requests`` lists it."""
        request, seconds = self.request, self.seconds
        return {
            "id": self.id or None,
            "operation": self.operation,
            "method": request.method.decode(),
            "path": without_tokens(request.url.decode("latin-1")),
            "caller": request.caller.name,
            "address": request.client,
            "since": str(time_of(round((time() - seconds) * 1000))),
            "milliseconds": round(seconds * 1000, 3),
        }
