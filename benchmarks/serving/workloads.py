"""The workloads: what is asked, by how many clients, and how an answer is known to be right.

One rule: an answer is checked before its like is timed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import orjson

from benchmarks.serving.materials import SEED, Materials

READ_REQUESTS = 20_000
COUNTER = b"@@@@@@@"
"""Stands for a number that is another one in every request, so that every write changes something."""

BY_REGION = [{"$group": {"_id": "$regionId", "clusters": {"$sum": 1}}}]


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its transport. ``is_right`` judges the value of the answer's JSON."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    body: bytes = b""
    is_right: Callable[[Any], bool] = lambda answer: True

    def as_bytes(self) -> bytes:
        """The request as HTTP/1.1."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of load: its calls, which are sent in a circle, and the number of clients."""

    name: str
    title: str
    clients: int
    calls: Callable[[Materials], Sequence[Call]]


def reads(materials: Materials) -> Sequence[Call]:
    """GETs of clusters at random."""
    return [_read(id) for id in Random(SEED).choices(materials.ids, k=READ_REQUESTS)]


def writes(materials: Materials) -> Sequence[Call]:
    """PUTs of one field of clusters at random."""
    return [_write(id) for id in Random(SEED + 1).choices(materials.ids, k=READ_REQUESTS)]


def mixed(materials: Materials) -> Sequence[Call]:
    """Nine GETs to a PUT."""
    return [
        write if place % 10 == 9 else read
        for place, (read, write) in enumerate(zip(reads(materials), writes(materials), strict=True))
    ]


def questions(name: str) -> Callable[[Materials], Sequence[Call]]:
    """The queries of one kind."""

    def calls(materials: Materials) -> Sequence[Call]:
        return [_query(one.filter, one.ids) for one in materials.questions[name]]

    return calls


def counts(materials: Materials) -> Sequence[Call]:
    """How many clusters each region has."""

    def is_right(answer: Any) -> bool:
        return {row["_id"]: row["clusters"] for row in answer} == materials.clusters_in_regions

    return [Call("POST", "/clusters/aggregate", orjson.dumps(BY_REGION), is_right)]


def _read(id: str) -> Call:
    return Call("GET", f"/clusters/{id}", is_right=lambda answer: answer["id"] == id)


def _write(id: str) -> Call:
    body = b'{"$set":{"reputation":%b}}' % COUNTER
    return Call("PUT", f"/clusters/{id}", body, lambda answer: answer["id"] == id and answer["reputation"] > 100)


def _query(filter: Mapping[str, Any], ids: frozenset[str]) -> Call:
    return Call(
        "POST",
        "/clusters/query",
        orjson.dumps(filter),
        lambda answer: sorted(one["id"] for one in answer) == sorted(ids),
    )


WORKLOADS = (
    Workload("get", "GET by id", 32, reads),
    Workload("selective", "selective query", 16, questions("selective")),
    Workload("example", "the specification's query", 16, questions("example")),
    Workload("element", "`$elemMatch`", 16, questions("element")),
    Workload("aggregate", "clusters by region", 16, counts),
    Workload("put-1", "PUT, 1 client", 1, writes),
    Workload("put-32", "PUT, 32 clients", 32, writes),
    Workload("mixed", "9 GET : 1 PUT", 32, mixed),
)

WORKLOADS_BY_NAME: Mapping[str, Workload] = {workload.name: workload for workload in WORKLOADS}
