"""Refusals in the protocol: the answers to requests that the application does not see.

Theory: somebody may send wrong credentials as fast as the network allows. The answers to these are all alike, so each
is made once, and the date and the request id are put into it: it costs little more than an answer that is right.

One rule: a refusal looks, and is counted, as the table of operations says of the operation that was asked for.
"""

from time import perf_counter
from typing import NamedTuple

from rollbook.api.metrics.request_counts import OTHER
from rollbook.api.problems import problem
from rollbook.api.serving.access_logs import log_access
from rollbook.api.serving.edge import Edge, Refused
from rollbook.api.serving.rendering import rendered
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import RegistryError, TooManyWrongTokens, Unauthenticated

REPEATED = frozenset({Unauthenticated, TooManyWrongTokens})
KNOWN_MAX = 1_000
HERE = b"\0"
"""Stands where the headers of the server are put in."""


class WhatIsRefused(NamedTuple):
    """All that an answer to wrong credentials depends on, beside its date and its request id."""

    method: str
    path: bytes
    refusal: type[RegistryError]
    message: str
    closes: bool


def refused(edge: Edge, request: IncomingRequest, refusal: RegistryError, *, closes: bool) -> bytes:
    """The answer to a refused request, which is counted and logged. ``closes``: no other request may follow."""
    method = request.method.decode() if request.has_headers else OTHER
    what = WhatIsRefused(method, request.path, type(refusal), refusal.message, closes)
    answer = edge.refusals.get(what)
    if answer is None or request.limits:
        answer = _made(edge, request, refusal, method, closes=closes)
        if what.refusal in REPEATED and not request.limits:
            if len(edge.refusals) >= KNOWN_MAX:
                edge.refusals.clear()
            edge.refusals[what] = answer
    edge.traffic.of(answer.route, method, answer.status).add(0.0)
    id = request.id or edge.new_id()
    if edge.logs_access:
        log_access(request, answer.status, perf_counter(), id)
    return b"%s%sx-registry-revision: %d\r\n%s" % (
        answer.begin,
        edge.default_headers(request, id),
        edge.revision,
        answer.end,
    )


def _made(edge: Edge, request: IncomingRequest, refusal: RegistryError, method: str, *, closes: bool) -> Refused:
    operation = edge.router.nearest(method, request.path)
    response = problem(refusal) if operation is None else operation.refused(refusal)
    response.headers.update(request.limits)
    whole = rendered(response, HERE, closes=closes, bodiless=request.method == b"HEAD")
    begin, end = whole.split(HERE, 1)
    return Refused(
        response.status_code, OTHER if operation is None or method is OTHER else operation.template, begin, end
    )
