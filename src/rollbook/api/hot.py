"""The hottest question, answered in front of everything else: ``GET /clusters/{id}`` of a cluster that is there.

One rule: only the plain success is answered here, byte for byte as ``handlers.read_cluster`` would; a condition, a
query, a refusal, anything that takes a thought goes to the application.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from rollbook.view.entries import View

PREFIX = "/clusters/"
DECISIVE = frozenset({b"if-none-match"})
DECISIVE_FOR_LARGE = DECISIVE | {b"accept-encoding"}
PLAIN_BYTES_MAX = 16 * 1024


class HotReads:
    """Answers plain reads from the view, and hands everything else on."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            path: str = scope["path"]
            entry = self._view.entry(path[len(PREFIX) :]) if path.startswith(PREFIX) else None
            if entry is not None and is_plain(scope["headers"], len(entry.body)):
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


def is_plain(headers: Iterable[tuple[bytes, bytes]], size_bytes: int) -> bool:
    """Whether the answer depends on no header: none names a revision, and it is too small to be compressed for it."""
    decisive = DECISIVE_FOR_LARGE if size_bytes > PLAIN_BYTES_MAX else DECISIVE
    return not any(name in decisive for name, _ in headers)
