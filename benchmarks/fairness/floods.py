"""What one client may send that costs much: each flood says when it is under way, and goes on until its time is over.

One rule: a flood is written against the server as an attacker would; what it is answered does not matter.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import count, cycle
from typing import Any, TypeAlias

import orjson

from benchmarks.connections import HOST, request

Flood: TypeAlias = Callable[[int, float, asyncio.Event], Awaitable[None]]

COSTLY = "((a?){900}){1}(.*){900}"
BIG = "big"
GROWN = {
    "$reduce": {
        "input": {"$range": [0, 16]},
        "initialValue": "abcdefgh x",
        "in": {"$concat": ["$$value", "$$value"]},
    }
}
_numbers = count()


def post(path: str, body: Any) -> bytes:
    """A POST of JSON."""
    return request("POST", path, orjson.dumps(body))


def put(id: str, body: Any) -> bytes:
    """An update."""
    return request("PUT", f"/clusters/{id}", orjson.dumps(body))


def costly_pattern() -> Iterator[bytes]:
    """One pattern that matches nothing, on every document."""
    while True:
        yield post("/clusters/query", {"clusterMetadata.description": {"$regex": f"{COSTLY}[zq]{next(_numbers)}?"}})


def many_patterns() -> Iterator[bytes]:
    """160 patterns that are costly to compile, in 16 KB; others each time."""
    while True:
        each = [{"id": {"$regex": f"(\\pL\\pN?){{20}}{next(_numbers)}"}} for _ in range(160)]
        yield post("/clusters/query", {"$or": each})


def grown_text() -> Iterator[bytes]:
    """A search of a text that an expression grows."""
    search = {"$regexMatch": {"input": GROWN, "regex": COSTLY}}
    yield from cycle([post("/clusters/query", {"$expr": search})])


def computing_updates() -> Iterator[bytes]:
    """Updates that compute for long."""
    sum_of_many = {"$sum": {"$map": {"input": {"$range": [0, 600_000]}, "in": {"$add": ["$$this", 1]}}}}
    yield from cycle([put(BIG, [{"$set": {"computed": sum_of_many}}])])


def large_updates() -> Iterator[bytes]:
    """900,000 integers come and go."""
    while True:
        first = next(_numbers)
        yield put(BIG, {"$set": {"integers": list(range(first, first + 900_000))}})
        yield put(BIG, {"$unset": {"integers": ""}})


def large_filters() -> Iterator[bytes]:
    """Filters of 8 MB."""
    values = [f"cluster-{number:08}" for number in range(99_000)]
    yield from cycle(
        [
            post("/clusters/query", {"$or": [{"id": {"$in": values}}, {"regionId": {"$in": values}}, {"x": values}]}),
            post("/clusters/count", {"$or": [{"a": number} for number in range(19_000)]}),
            post("/clusters/query", {"x": [0] * 3_900_000}),
        ]
    )


def scans() -> Iterator[bytes]:
    """Sorts, facets, aggregations and projections over the whole fleet, of today and of the past."""
    everything = {"$expr": {"$ne": ["$id", 1]}}
    yield from cycle(
        [
            post("/clusters/query", {"query": everything, "sort": {"clusterMetadata.description": 1}}),
            post("/clusters/aggregate", [{"$group": {"_id": "$clusterMetadata.description", "n": {"$sum": 1}}}]),
            post("/clusters/facets", {"query": everything, "facets": ["id", "clusterMetadata.description"]}),
            post("/clusters/query", {"query": {"id": BIG}, "projection": {"x": {"$size": {"$range": [0, 900_000]}}}}),
            post("/clusters/count?revision=5", everything),
            request("GET", "/changes?limit=1000&as=both"),
        ]
    )


def asking(requests: Callable[[], Iterator[bytes]], *, connections: int = 4) -> Flood:
    """So many connections, each of which sends the next request as soon as it is answered."""

    async def flood(port: int, seconds: float, under_way: asyncio.Event) -> None:
        async def ask() -> None:
            made = requests()
            while True:
                reader, writer = await asyncio.open_connection(HOST, port)
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    while True:
                        writer.write(next(made))
                        await writer.drain()
                        await read_answer(reader)
                writer.close()

        under_way.set()
        await for_a_while([ask() for _ in range(connections)], seconds)

    return flood


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """The head of an answer, once its body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line[16:]) for line in lines if line.startswith(b"content-length: ")), None)
    if length is not None:
        await reader.readexactly(length)
        return head
    while size := int((await reader.readline()) or b"0", 16):
        await reader.readexactly(size + 2)
    await reader.readline()
    return head


async def for_a_while(tasks: Sequence[Awaitable[Any]], seconds: float) -> None:
    """Run them, and end them when the time is over."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*tasks), seconds)


async def costly_watches(port: int, seconds: float, under_way: asyncio.Event) -> None:
    """60 watches whose filters cost much, each another, while clusters change."""
    filters = [
        {"$expr": {"$gt": [{"$sum": {"$map": {"input": {"$range": [0, 10_000 + n]}, "in": "$$this"}}}, -1 - n]}}
        for n in range(60)
    ]
    await watched(port, seconds, under_way, filters)


async def many_watches(port: int, seconds: float, under_way: asyncio.Event) -> None:
    """2,000 watches that all match, while clusters change."""
    await watched(port, seconds, under_way, [{}] * 2000)


async def watched(port: int, seconds: float, under_way: asyncio.Event, filters: Sequence[Any]) -> None:
    """Watches that read what they are sent, and a client that makes changes as fast as it is answered.

    It is under way once all of them watch.
    """

    async def open_watch(filter: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(post("/clusters/watch", {"query": filter}))
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def follow(reader: asyncio.StreamReader) -> None:
        while await reader.read(1 << 16):
            pass

    async def change() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while True:
            writer.write(put("changed", {"$set": {"n": next(_numbers)}}))
            await read_answer(reader)

    watches = [await open_watch(filter) for filter in filters]
    under_way.set()
    await for_a_while([*(follow(reader) for reader, _ in watches), change()], seconds)
    for _, writer in watches:
        writer.close()


async def unread_pipelines(port: int, seconds: float, under_way: asyncio.Event) -> None:
    """45 MB of requests on 4 connections, whose answers are never read."""
    some = request("GET", "/healthz") * 1000

    async def send() -> None:
        _, writer = await asyncio.open_connection(HOST, port, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            for _ in range(11_250_000 // len(some)):
                writer.write(some)
                await writer.drain()
        await asyncio.sleep(seconds)

    under_way.set()
    await for_a_while([send() for _ in range(4)], seconds)


async def unread_answers(port: int, seconds: float, under_way: asyncio.Event) -> None:
    """12 answers of the whole fleet, which are never read."""

    async def send() -> None:
        _, writer = await asyncio.open_connection(HOST, port, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(post("/clusters/query", {"query": {}, "projection": {"probe": 0}}))
        await asyncio.sleep(seconds)

    under_way.set()
    await for_a_while([send() for _ in range(12)], seconds)


async def dripping(port: int, seconds: float, under_way: asyncio.Event) -> None:
    """1,000 connections that send a request a byte at a time."""
    asked, until = post("/clusters/query", {"id": "x" * 200}), time.monotonic() + seconds

    async def drip() -> None:
        _, writer = await asyncio.open_connection(HOST, port)
        for place in range(len(asked)):
            writer.write(asked[place : place + 1])
            await asyncio.sleep(0.5)
            if time.monotonic() > until:
                return

    under_way.set()
    await for_a_while([drip() for _ in range(1000)], seconds)


FLOODS: Mapping[str, Flood] = {
    "a costly pattern": asking(costly_pattern),
    "160 costly patterns": asking(many_patterns),
    "searches of a grown text": asking(grown_text),
    "computing updates": asking(computing_updates),
    "updates of 900,000 integers": asking(large_updates, connections=1),
    "filters of 8 MB": asking(large_filters, connections=2),
    "scans": asking(scans),
    "60 costly watches": costly_watches,
    "2,000 watches that match": many_watches,
    "unread pipelines": unread_pipelines,
    "unread answers": unread_answers,
    "dripping requests": dripping,
}
