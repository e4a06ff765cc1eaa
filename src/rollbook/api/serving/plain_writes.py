"""Plain updates: ``PUT /clusters/{id}`` with a small body and nothing else to think of, without the application.

One rule: what is answered here is what the application would answer. (But that a document which an update makes large
is sent as it is, where the application would compress it.) Whatever can't be asked of the committer as it stands goes
the ordinary way, refusals of its body included.
"""

import logging
from asyncio import Future
from http import HTTPStatus
from time import perf_counter

from starlette.responses import Response

from rollbook.api.compression import COMPRESS_FROM_BYTES
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.offloading import is_quick_to_parse
from rollbook.api.problems import mistake, problem
from rollbook.api.responses import stored
from rollbook.api.serving.plain_answers import DECISIVE_WITH_BODY, ENCODING, PREFIX, Headers, has_plain_body, is_plain
from rollbook.documents.codec import decode_json
from rollbook.errors import RegistryError
from rollbook.registry.reading.requests import parse_update_request
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.security.callers import Caller

DECISIVE = DECISIVE_WITH_BODY | {b"if-match", b"if-none-match", b"x-reason"}
NO_PLAIN_ID = frozenset(b"/?%")

UPDATED_HEAD = (
    b'HTTP/1.1 200 OK\r\n%setag: "%d"\r\nvary: accept-encoding\r\ncontent-length: %d\r\n'
    b"content-type: application/json\r\nx-registry-revision: %d\r\n\r\n"
)

logger = logging.getLogger(__name__)


class PlainWrites:
    """Asks and answers for all connections of a server."""

    def __init__(self, registry: Registry, traffic: RequestCounts) -> None:
        self._registry = registry
        self._traffic = traffic
        self._updated = traffic.of("/clusters/{id}", "PUT", 200)

    def takes(self, url: bytes, headers: Headers) -> bool:
        """Whether a PUT with this head may be answered here once its body is there."""
        return (
            url.startswith(PREFIX)
            and NO_PLAIN_ID.isdisjoint(url[len(PREFIX) :])
            and is_plain(headers, DECISIVE)
            and has_plain_body(headers)
        )

    def asked(self, url: bytes, headers: Headers, body: bytes, *, peer: str) -> "Future[WriteResult] | None":
        """The update, under way; None: the ordinary way."""
        registry = self._registry
        entry = registry.view.entry(url[len(PREFIX) :].decode("latin-1"))
        if (
            entry is None
            or not is_quick_to_parse(body)
            or (entry.size_bytes * 2 >= COMPRESS_FROM_BYTES and not is_plain(headers, ENCODING))
        ):
            return None
        try:
            value = decode_json(body, limits=registry.limits)
            command = parse_update_request(entry.id, value, rules=registry.rules, limits=registry.limits)
        except RegistryError:  # the ordinary way comes to the same, and tells of it
            return None
        return registry.write(Caller(f"anonymous@{peer}"), command)

    def answer_to(self, update: "Future[WriteResult]", begun: float, *, default: bytes, closes: bool) -> bytes:
        """The answer to an update that is over.

        ``begun``: when it was read, in seconds of ``perf_counter``; ``closes``: no other request may follow.
        """
        revision, failure = self._registry.view.revision, update.exception()
        if failure is None:
            result = update.result()
            if not result.warnings and not closes and result.body is not None:
                self._updated.add(perf_counter() - begun)
                return UPDATED_HEAD % (default, result.revision, len(result.body), revision) + result.body
            response = stored(result)
        elif isinstance(failure, RegistryError):
            response = problem(failure)
        else:
            logger.error("an update failed", exc_info=failure)
            response = mistake()
        self._traffic.of("/clusters/{id}", "PUT", response.status_code).add(perf_counter() - begun)
        return rendered(response, default, revision, closes=closes)


def rendered(response: Response, default: bytes, revision: int, *, closes: bool) -> bytes:
    """An answer as the server sends it."""
    status = HTTPStatus(response.status_code)
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()), default]
    lines += [b"%s: %s\r\n" % header for header in response.raw_headers]
    lines += [b"x-registry-revision: %d\r\n" % revision, b"connection: close\r\n" if closes else b"", b"\r\n"]
    return b"".join([*lines, response.body])
