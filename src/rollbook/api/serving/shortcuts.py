"""Shortcuts: the answers to the hottest requests as ready bytes, without the application.

One rule: a shortcut answers byte for byte what the application would answer, or it declines and the application
answers. It declines whatever takes a decision: a condition, a query string, a large body, a refusal, documents that
must be read. The gates have passed every request before a shortcut sees it.
"""

import logging
from asyncio import Future
from collections.abc import Collection, Sequence
from functools import lru_cache
from time import perf_counter
from typing import TypeAlias

import orjson

from rollbook.api.compression import COMPRESS_FROM_BYTES
from rollbook.api.handlers.liveness import lease_as_json
from rollbook.api.metrics.caller_counts import Shortcut
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.api.offloading import is_quick_to_parse
from rollbook.api.operations import fixed_paths
from rollbook.api.problems import mistake, problem
from rollbook.api.responses import PIECE_BYTES, stored
from rollbook.api.serving.rendering import rendered
from rollbook.api.serving.requests import IncomingRequest
from rollbook.clusters.liveness import Lease
from rollbook.documents.codec import decode_json
from rollbook.documents.values import MISSING
from rollbook.errors import RegistryError
from rollbook.histograms import UNTIMED_MAX
from rollbook.language.filters import Filter
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.reading.requests import Query, parse_query
from rollbook.registry.reading.undocumented import asked_paths, notes_on_hidden, undocumented_paths
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.security.callers import Caller
from rollbook.security.sights import WHOLE

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

PREFIX, QUERY, HEARTBEAT = b"/clusters/", b"/clusters/query", b"/heartbeat"
QUERIED: Shortcut = "query"
BEATEN: Shortcut = "heartbeat"
NOT_IN_PLAIN_IDS = frozenset(b"/?%")
NOT_READS, NOT_UPDATES = fixed_paths("GET"), fixed_paths("PUT")
"""Fixed paths (``/clusters/watch``): the application decides whether one is the id of an old cluster."""

BODY_BYTES_MAX = 16 * 1024

PARSED_MAX, PARSED_BYTES_MAX = 512, 2048
"""Keep at most 512 parsed queries of at most 2,048 bytes each; frequent callers repeat themselves."""

ENCODING = frozenset({b"accept-encoding"})
DECISIVE_FOR_READS = frozenset({b"if-none-match", b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
"""``connection`` is left out: whether the connection is kept alive is asked of the parser."""
DECISIVE_FOR_BEATS = DECISIVE_FOR_READS - {b"content-length", b"if-none-match"} | {
    b"connection",
    b"content-encoding",
    b"content-type",
}
DECISIVE_FOR_QUERIES = DECISIVE_FOR_BEATS | {b"accept"}
DECISIVE_FOR_UPDATES = DECISIVE_FOR_BEATS | {b"if-match", b"if-none-match", b"x-reason"}
HARMLESS = frozenset(
    {
        (b"connection", b"keep-alive"),
        (b"content-length", b"0"),
        (b"accept", b"*/*"),
        (b"accept", b"application/json"),
        (b"content-type", b"application/json"),
    }
)

READ_HEAD = (
    b'HTTP/1.1 200 OK\r\n%setag: "%d"\r\nvary: accept-encoding\r\nx-registry-revision: %d\r\n'
    b"content-length: %d\r\ncontent-type: application/json\r\n\r\n"
)
QUERY_HEAD = (
    b"HTTP/1.1 200 OK\r\n%sx-registry-revision: %d\r\nvary: accept, accept-encoding\r\n"
    b"content-length: %d\r\ncontent-type: application/json\r\n\r\n"
)
BEAT_HEAD = (
    b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\ncontent-type: application/json\r\nx-registry-revision: %d\r\n\r\n"
)
UPDATED_HEAD = (
    b'HTTP/1.1 200 OK\r\n%setag: "%d"\r\nvary: accept-encoding\r\ncontent-length: %d\r\n'
    b"content-type: application/json\r\nx-registry-revision: %d\r\n\r\n"
)

logger = logging.getLogger(__name__)


class Shortcuts:
    """The shortcuts of all connections of a server. Where one returns None, the application answers.

    Its methods are given ``default``: the headers that the server adds to every answer, as bytes.
    """

    def __init__(self, registry: Registry, traffic: RequestCounts) -> None:
        self._registry = registry
        self._traffic = traffic
        self._parsed = lru_cache(PARSED_MAX)(self._parse)
        self._reads = traffic.of("/clusters/{id}", "GET", 200)
        self._queries = traffic.of("/clusters/query", "POST", 200)
        self._beats = traffic.of("/clusters/{id}/heartbeat", "POST", 200)
        self._updates = traffic.of("/clusters/{id}", "PUT", 200)

    def answer(self, request: IncomingRequest, default: bytes) -> bytes | None:
        """The answer to a read, a query or a heartbeat."""
        caller = request.caller
        if caller.is_noted:
            return None
        if request.method == b"GET":
            return self._read(request, default) if caller.may("read") else None
        if request.method != b"POST":
            return None
        begun = perf_counter()
        if not caller.may("read" if request.url == QUERY else "heartbeat"):
            return None
        if request.url == QUERY:
            answer, durations, operation = self._query(request, default), self._queries, QUERIED
        else:
            answer, durations, operation = self._beat(request, default), self._beats, BEATEN
        if answer is not None:
            durations.add(perf_counter() - begun)
            request.tally.direct[operation] += 1
        return answer

    def begin_update(self, request: IncomingRequest) -> "Future[WriteResult] | None":
        """Start the update that a PUT asks for. Its answer is that of ``finish_update``."""
        registry, headers, url = self._registry, request.headers, request.url
        if (
            request.method != b"PUT"
            or request.caller.is_noted
            or not request.caller.may("update")
            or not url.startswith(PREFIX)
            or not NOT_IN_PLAIN_IDS.isdisjoint(url[len(PREFIX) :])
            or not is_plain(headers, DECISIVE_FOR_UPDATES)
            or not has_plain_body(request)
        ):
            return None
        entry = registry.view.entry(url[len(PREFIX) :].decode("latin-1"))
        if (
            entry is None
            or url in NOT_UPDATES
            or not is_quick_to_parse(request.body)
            or (entry.size_bytes * 2 >= COMPRESS_FROM_BYTES and not is_plain(headers, ENCODING))
        ):
            return None
        try:
            value = decode_json(request.body, limits=registry.limits)
            command = parse_update_request(entry.id, value, rules=registry.rules, limits=registry.limits)
        except RegistryError:  # the application refuses it too, and says why
            return None
        if command.returned is not None or (
            command.condition is not None and self._has_notes(request.caller, command.condition)
        ):
            return None
        return registry.write(request.caller, command)

    def finish_update(
        self, update: "Future[WriteResult]", running: RunningRequest, default: bytes, *, closes: bool
    ) -> bytes:
        """The answer to an update that has ended. ``closes``: no other request may follow."""
        begun = running.begun
        revision, failure = self._registry.view.revision, update.exception()
        running.request.tally.direct["update"] += 1
        if failure is None:
            result = update.result()
            if not result.warnings and not closes and result.body is not None:
                self._updates.add(perf_counter() - begun)
                return UPDATED_HEAD % (default, result.revision, len(result.body), revision) + result.body
            response = stored(result)
        elif isinstance(failure, RegistryError):
            response = problem(failure)
        else:
            logger.error("an update failed", exc_info=failure)
            response = mistake()
        self._traffic.of("/clusters/{id}", "PUT", response.status_code).add(perf_counter() - begun)
        response.raw_headers.append((b"x-registry-revision", b"%d" % revision))
        return rendered(response, default, closes=closes)

    def _read(self, request: IncomingRequest, default: bytes) -> bytes | None:
        url, known = request.url, request.known
        if not url.startswith(PREFIX) or not request.keep_alive or not DECISIVE_FOR_READS.isdisjoint(known):
            return None
        reads, view, sight = self._reads, self._registry.view, request.caller.access.reads
        begun = perf_counter() if reads.untimed == UNTIMED_MAX else None
        id = url[len(PREFIX) :].decode("latin-1")
        found = self._registry.seeing.read(sight, id)
        if found is None or url in NOT_READS:
            return None
        body, revision = found
        if len(body) >= COMPRESS_FROM_BYTES and b"accept-encoding" in known:
            return None
        if begun is None:
            reads.untimed += 1
        else:
            reads.settle(perf_counter() - begun)
        request.tally.direct["read"] += 1
        return READ_HEAD % (default, revision, view.revision, len(body)) + body

    def _query(self, request: IncomingRequest, default: bytes) -> bytes | None:
        """A query that the indexes alone can answer."""
        registry, body = self._registry, request.body
        if not is_plain(request.headers, DECISIVE_FOR_QUERIES) or not has_plain_body(request):
            return None
        try:
            query = self._parsed(body) if len(body) <= PARSED_BYTES_MAX else self._parse(body)
            fleet = registry.reader.fleet(request.caller)
            noted = (query.undocumented and fleet.lacking(query.undocumented)) or (
                fleet.sight is not WHOLE and notes_on_hidden(fleet.sight, query.paths)
            )
            bodies = None if noted else fleet.find_at_once(query)
        except Exception:  # the application meets it too, and reports it
            return None
        if bodies is None:
            return None
        size_bytes = sum(map(len, bodies)) + max(len(bodies) + 1, 2)
        if size_bytes >= (COMPRESS_FROM_BYTES if not is_plain(request.headers, ENCODING) else PIECE_BYTES):
            return None
        head = QUERY_HEAD % (default, registry.view.revision, size_bytes) + b"["
        if not bodies:
            return head + b"]"
        bodies[0] = head + bodies[0]
        bodies[-1] += b"]"
        return b",".join(bodies)

    def _has_notes(self, caller: Caller, condition: Filter) -> bool:
        """Whether there is something to say about a condition."""
        fleet = self._registry.reader.fleet(caller)
        return bool(
            fleet.lacking(undocumented_paths(condition)) or notes_on_hidden(fleet.sight, asked_paths(condition))
        )

    def _parse(self, body: bytes) -> Query:
        if not is_quick_to_parse(body):
            raise TakesLong
        limits = self._registry.limits
        return parse_query(decode_json(body, limits=limits), limits=limits)

    def _beat(self, request: IncomingRequest, default: bytes) -> bytes | None:
        """A heartbeat that changes no document."""
        url = request.url
        if (
            not url.endswith(HEARTBEAT)
            or not url.startswith(PREFIX)
            or not is_plain(request.headers, DECISIVE_FOR_BEATS)
            or (request.body and not has_plain_body(request))
        ):
            return None
        lease = self._renewed(request.caller, url[len(PREFIX) : -len(HEARTBEAT)].decode("latin-1"), request.body)
        if lease is None:
            return None
        answer = orjson.dumps(lease_as_json(lease))
        return BEAT_HEAD % (default, len(answer), self._registry.view.revision) + answer

    def _renewed(self, caller: Caller, id: str, body: bytes) -> Lease | None:
        try:
            beat = parse_heartbeat(decode_json(body, limits=self._registry.limits) if body else MISSING)
        except RegistryError:  # the application refuses it too, and says why
            return None
        return self._registry.liveness.beat_at_once(caller, id, beat)


class TakesLong(Exception):
    """The body is not certain to be parsed quickly."""


def is_plain(headers: Headers, decisive: Collection[bytes]) -> bool:
    """Whether no header decides about the answer."""
    return not [header for header in headers if header[0] in decisive and header not in HARMLESS]


def has_plain_body(request: IncomingRequest) -> bool:
    """Whether the body is small and has a type."""
    return 0 < len(request.body) <= BODY_BYTES_MAX and b"content-type" in request.known
