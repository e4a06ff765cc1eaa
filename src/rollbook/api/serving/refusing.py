"""Refusals in the protocol: the answers to requests that the application does not see.

Theory: somebody may send wrong credentials as fast as the network allows. The answers to these depend on the operation
alone, so each is made once, and the date and the request id are put into it: it costs little more than an answer that
is right. They are found by the address that was asked for, and by its operation where the address is new.

One rule: a refusal looks, and is counted, as the table of operations says of the operation that was asked for.
"""

from time import perf_counter

from rollbook.api.declarations import Operation
from rollbook.api.metrics.request_counts import OTHER
from rollbook.api.problems import problem
from rollbook.api.serving.access_logs import log_access
from rollbook.api.serving.admission import TOO_MANY_WRONG, WRONG_CREDENTIALS, WRONG_TOKENS_HEADERS
from rollbook.api.serving.edge import Edge, Refused
from rollbook.api.serving.rendering import rendered
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import RegistryError

KNOWN_MAX, KNOWN_URL_BYTES_MAX = 1_000, 256
HERE = b"\0"
"""Stands where the headers of the server are put in."""


def refused(edge: Edge, request: IncomingRequest, refusal: RegistryError, *, closes: bool) -> bytes:
    """The answer to a refused request, which is counted and logged. ``closes``: no other request may follow."""
    if refusal is TOO_MANY_WRONG or refusal is WRONG_CREDENTIALS:
        answer = edge.refusals.get((refusal, request.method, request.url, closes))
        if answer is None:
            answer = _known(edge, request, refusal, closes=closes)
    else:
        method = request.method.decode() if request.has_headers else OTHER
        operation = edge.router.nearest(method, request.path)
        answer = _made(edge, request, refusal, method, operation, closes=closes)
    answer.durations.add(0.0)
    id = request.id
    if edge.logs_access or refusal is not TOO_MANY_WRONG:
        id = id or edge.new_id()
    if edge.logs_access:
        log_access(request, answer.status, perf_counter(), id)
    default = edge.default_headers(request, id) if id or request.cors else edge.date
    return b"%s%sx-registry-revision: %d\r\n%s" % (answer.begin, default, edge.revision, answer.end)


def _known(edge: Edge, request: IncomingRequest, refusal: RegistryError, *, closes: bool) -> Refused:
    """The answer to wrong credentials, which is found by the address from now on."""
    method = request.method.decode()
    operation = edge.router.nearest(method, request.path)
    by_operation = (refusal, request.method, operation and operation.template, closes)
    answer = edge.refusals.get(by_operation) or _made(edge, request, refusal, method, operation, closes=closes)
    if len(edge.refusals) >= KNOWN_MAX:
        edge.refusals.clear()
    edge.refusals[by_operation] = answer
    if len(request.url) <= KNOWN_URL_BYTES_MAX:
        edge.refusals[refusal, request.method, request.url, closes] = answer
    return answer


def _made(
    edge: Edge,
    request: IncomingRequest,
    refusal: RegistryError,
    method: str,
    operation: Operation | None,
    *,
    closes: bool,
) -> Refused:
    response = problem(refusal) if operation is None else operation.refused(refusal)
    response.headers.update(WRONG_TOKENS_HEADERS if refusal is TOO_MANY_WRONG else request.limits)
    whole = rendered(response, HERE, closes=closes, bodiless=request.method == b"HEAD")
    begin, end = whole.split(HERE, 1)
    route = OTHER if operation is None or method is OTHER else operation.template
    return Refused(response.status_code, edge.traffic.of(route, method, response.status_code), begin, end)
