"""The hottest question, answered in front of everything else: ``GET /clusters/{id}`` of a cluster that is there.

One rule: only the plain success is answered here, byte for byte as ``handlers.read_cluster`` would; a condition, a
query, a refusal, anything that takes a thought goes to the application.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from rollbook.view.entries import View

PREFIX = "/clusters/"
CONDITION = b"if-none-match"


class HotReads:
    """Answers plain reads from the view, and hands everything else on."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            path: str = scope["path"]
            entry = self._view.entry(path[len(PREFIX) :]) if path.startswith(PREFIX) else None
            if entry is not None and not is_conditional(scope["headers"]):
                headers = [
                    (b"etag", b'"%d"' % entry.revision),
                    (b"vary", b"accept-encoding"),
                    (b"x-registry-revision", b"%d" % self._view.revision),
                    (b"content-length", b"%d" % len(entry.body)),
                    (b"content-type", b"application/json"),
                ]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": entry.body})
                return
        await self._app(scope, receive, send)


def is_conditional(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request names revisions that its caller has seen."""
    return any(name == CONDITION for name, _ in headers)
