"""Refusals in the protocol: the answers to requests that the application does not see.

One rule: a refusal looks, and is counted, as the table of operations says of the operation that was asked for.
"""

from time import perf_counter

from rollbook.api.metrics.request_counts import OTHER
from rollbook.api.problems import problem
from rollbook.api.serving.access_logs import log_access
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.rendering import rendered
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import RegistryError


def refused(edge: Edge, request: IncomingRequest, refusal: RegistryError, *, closes: bool) -> bytes:
    """The answer to a refused request, which is counted and logged. ``closes``: no other request may follow."""
    method = request.method.decode() if request.has_headers else OTHER
    operation = edge.router.nearest(method, request.path)
    response = problem(refusal) if operation is None else operation.refused(refusal)
    response.headers.update(request.limits)
    response.raw_headers.append((b"x-registry-revision", b"%d" % edge.revision))
    route = OTHER if operation is None or method is OTHER else operation.template
    edge.traffic.of(route, method, response.status_code).add(0.0)
    id = request.id or edge.new_id()
    if edge.logs_access:
        log_access(request, response.status_code, perf_counter(), id)
    return rendered(response, edge.default_headers(id), closes=closes, bodiless=request.method == b"HEAD")
