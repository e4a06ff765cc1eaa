"""Requests as curl commands, for ``-v``: to be repeated, shown to others, and put into scripts.

One rule: a token is struck out.
"""

from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

SHOWN = ("accept", "content-type", "if-match", "x-reason", "idempotency-key")
BODY_LENGTH_MAX = 2000


def as_curl(request: "httpx2.Request") -> str:
    """The request as one line that a shell understands."""
    parts = ["curl", "-X", request.method, quote(str(request.url.copy_with(username=None, password=None)))]
    for name in SHOWN:
        if name in request.headers and request.headers[name] != "*/*":
            parts += ["-H", quote(f"{name}: {request.headers[name]}")]
    if "authorization" in request.headers:
        parts += ["-H", "'authorization: Bearer ***'"]
    if request.content:
        body = request.content.decode(errors="replace")
        parts += ["--data-binary", quote(body if len(body) <= BODY_LENGTH_MAX else f"{body[:BODY_LENGTH_MAX]}...")]
    return " ".join(parts)
