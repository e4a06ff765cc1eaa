"""The log of requests: a line for each that is answered."""

import logging
from time import perf_counter

from rollbook.api.serving.logs import request_id
from rollbook.api.serving.requests import IncomingRequest
from rollbook.security.tokens import without_tokens

access = logging.getLogger("rollbook.access")


def log_access(request: IncomingRequest, status: int, begun: float, id: str) -> None:
    """Log one request. ``begun``: when it was whole, in seconds of ``perf_counter``."""
    token = request_id.set(id)
    took_ms = (perf_counter() - begun) * 1000
    address = without_tokens(request.url.decode("latin-1"))
    access.info("%s %s %d %.1fms %s", request.method.decode(), address, status, took_ms, request.client)
    request_id.reset(token)
