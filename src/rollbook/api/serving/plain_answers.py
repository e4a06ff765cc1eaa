"""The answers to the three hottest requests when they are plain: ready bytes, from the view and the leases alone.

One rule: what is answered here is byte for byte what the application would answer. Whatever takes a thought (a
condition, a query string, a large body, a refusal, documents that must be looked at) is not, and goes the ordinary way.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from time import perf_counter
from typing import TypeAlias

import orjson

from rollbook.api.compression import COMPRESS_FROM_BYTES
from rollbook.api.handlers.liveness import lease_as_json
from rollbook.api.metrics.histograms import UNTIMED_MAX
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.offloading import is_quick_to_parse
from rollbook.api.responses import PIECE_BYTES
from rollbook.clusters.liveness import Lease
from rollbook.documents.codec import decode_json
from rollbook.documents.values import MISSING
from rollbook.errors import RegistryError
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.reading.requests import Query, parse_query
from rollbook.registry.registry import Registry

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

PREFIX, QUERY, HEARTBEAT = b"/clusters/", b"/clusters/query", b"/heartbeat"
BODY_BYTES_MAX = 16 * 1024

PARSED_MAX, PARSED_BYTES_MAX = 512, 2048
"""So many queries stay parsed, of so many bytes each: who asks often mostly asks the same."""

ENCODING = frozenset({b"accept-encoding"})
DECISIVE = frozenset({b"if-none-match", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"})
DECISIVE_WITH_BODY = DECISIVE - {b"content-length", b"if-none-match"} | {b"content-encoding", b"content-type"}
DECISIVE_FOR_QUERIES = DECISIVE_WITH_BODY | {b"accept"}
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


class PlainAnswers:
    """Answers for all connections of a server. Each method gives the bytes to send, or None for the ordinary way.

    ``default`` are the headers that the server adds to every answer, as bytes.
    """

    def __init__(self, registry: Registry, traffic: RequestCounts) -> None:
        self._registry = registry
        self._parsed = lru_cache(PARSED_MAX)(self._parse)
        self._reads = traffic.of("/clusters/{id}", "GET", 200)
        self._queries = traffic.of("/clusters/query", "POST", 200)
        self._beats = traffic.of("/clusters/{id}/heartbeat", "POST", 200)

    def to_read(self, url: bytes, headers: Headers, default: bytes) -> bytes | None:
        """``GET /clusters/{id}`` of a cluster that is there."""
        if not url.startswith(PREFIX):
            return None
        reads, view = self._reads, self._registry.view
        begun = perf_counter() if reads.untimed == UNTIMED_MAX else None
        entry = view.entry(url[len(PREFIX) :].decode("latin-1"))
        if entry is None or not is_plain(headers, DECISIVE):
            return None
        body = entry.body
        if len(body) >= COMPRESS_FROM_BYTES and not is_plain(headers, ENCODING):
            return None
        if begun is None:
            reads.untimed += 1
        else:
            reads.settle(perf_counter() - begun)
        return READ_HEAD % (default, entry.revision, view.revision, len(body)) + body

    def takes_post(self, url: bytes, headers: Headers) -> bool:
        """Whether a POST with this head may be answered here once its body is there."""
        if url == QUERY:
            return is_plain(headers, DECISIVE_FOR_QUERIES) and has_plain_body(headers)
        return (
            url.endswith(HEARTBEAT)
            and url.startswith(PREFIX)
            and is_plain(headers, DECISIVE_WITH_BODY)
            and (has_no_body(headers) or has_plain_body(headers))
        )

    def to_post(self, url: bytes, headers: Headers, body: bytes, default: bytes) -> bytes | None:
        """A query that the indexes alone can answer, or a heartbeat that no document takes note of."""
        begun = perf_counter()
        if url == QUERY:
            answer, durations = self._to_query(headers, body, default), self._queries
        else:
            answer, durations = self._to_beat(url, body, default), self._beats
        if answer is not None:
            durations.add(perf_counter() - begun)
        return answer

    def _to_query(self, headers: Headers, body: bytes, default: bytes) -> bytes | None:
        registry = self._registry
        try:
            query = self._parsed(body) if len(body) <= PARSED_BYTES_MAX else self._parse(body)
            bodies = registry.reader.find_at_once(query)
        except Exception:  # the ordinary way comes to the same, and tells of it
            return None
        if bodies is None:
            return None
        size_bytes = sum(map(len, bodies)) + max(len(bodies) + 1, 2)
        if size_bytes >= (COMPRESS_FROM_BYTES if not is_plain(headers, ENCODING) else PIECE_BYTES):
            return None
        head = QUERY_HEAD % (default, registry.view.revision, size_bytes) + b"["
        if not bodies:
            return head + b"]"
        bodies[0] = head + bodies[0]
        bodies[-1] += b"]"
        return b",".join(bodies)

    def _parse(self, body: bytes) -> Query:
        if not is_quick_to_parse(body):
            raise TakesLong
        limits = self._registry.limits
        return parse_query(decode_json(body, limits=limits), limits=limits)

    def _to_beat(self, url: bytes, body: bytes, default: bytes) -> bytes | None:
        lease = self._heard(url[len(PREFIX) : -len(HEARTBEAT)].decode("latin-1"), body)
        if lease is None:
            return None
        answer = orjson.dumps(lease_as_json(lease))
        return BEAT_HEAD % (default, len(answer), self._registry.view.revision) + answer

    def _heard(self, id: str, body: bytes) -> Lease | None:
        """The lease that a beat renews, if nothing is to be waited for."""
        try:
            beat = parse_heartbeat(decode_json(body, limits=self._registry.limits) if body else MISSING)
        except RegistryError:  # the ordinary way refuses it too, and says why
            return None
        return self._registry.liveness.beat_at_once(id, beat)


class TakesLong(Exception):
    """The body is not certain to be parsed quickly."""


def is_plain(headers: Headers, decisive: Collection[bytes]) -> bool:
    """Whether no header decides about the answer."""
    return not [header for header in headers if header[0] in decisive and header not in HARMLESS]


def has_no_body(headers: Headers) -> bool:
    """Whether no body follows the head."""
    return all(value == b"0" for name, value in headers if name == b"content-length")


def has_plain_body(headers: Headers) -> bool:
    """Whether a body of known and moderate length follows the head, and of a type."""
    known = dict(headers)
    length = known.get(b"content-length", b"")
    return length.isdigit() and int(length) <= BODY_BYTES_MAX and b"content-type" in known
