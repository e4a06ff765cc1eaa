"""Mutated requests: real bodies and heads, changed in small ways, over every operation.

One rule: a seed and a number give the same request, so a finding can be sent again.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from rollbook.api.operations import OPERATIONS
from tests.examples import cluster

IDS = ["west", "east", "nobody", "..", "a%2Fb", "%00", "query", "x" * 300, "é", "_registry", "0"]
BODIES: Sequence[Any] = [
    {},
    {"regionId": "eu", "gpus.count": {"$gte": 2}},
    {"query": {"status": "live"}, "sort": {"id": 1}, "skip": 1, "limit": 2, "projection": {"id": 1, "nodes": 1}},
    {"query": {"$expr": {"$gt": [{"$size": "$tags"}, 1]}}, "maxTimeMS": 50},
    {"id": {"$regex": "^we.t", "$options": "i"}},
    {"nodes.nodeData": {"$elemMatch": {"memory": {"$gt": 1}, "id": {"$in": ["a", "b"]}}}},
    {"$set": {"status": "live", "clusterMetadata.x": [1, {"a": None}]}, "$unset": {"y": ""}},
    {"$push": {"tags": {"$each": ["a", "b"], "$slice": 5}}, "$inc": {"reputation": 1}},
    {"update": {"$set": {"nodes.nodeData.$[n].memory": 5}}, "arrayFilters": [{"n.id": "a"}], "filter": {"id": "west"}},
    [{"$set": {"clusterMetadata.n": {"$add": ["$reputation", 1]}}}, {"$unset": "clusterMetadata.z"}],
    [{"$match": {"status": "live"}}, {"$group": {"_id": "$regionId", "n": {"$sum": 1}}}, {"$sort": {"n": -1}}],
    {"pipeline": [{"$unwind": "$tags"}, {"$sortByCount": "$tags"}], "maxTimeMS": 100},
    {"query": {}, "facets": ["status", "tags", "gpuModels"], "limit": 3},
    {"id": "a", "gpus": {"count": 1, "memory": 1, "gpus": []}, "memory": 1},
    {"matchType": "cluster", "filter": {"clusterQuery": {"variable": "id", "operator": "LIKE", "value": "*e*"}}},
    {"header": {"templateUri": "Parser/V1", "parameters": {}}, "body": {"spec": {"values": {"id": "made"}}}},
    {"ttlSeconds": 60},
    {"revision": 1},
    {"reason": "why"},
    {"url": "http://127.0.0.1:9/hook", "query": {"status": "live"}, "as": "patch"},
    {"query": {"status": "live"}, "since": 0},
]
VALUES: Sequence[Any] = [
    None, True, 0, -1, 1.5, 2**63, -(2**63), 1e308, 10**30, "", "$id", "$$ROOT", "a.b", ".", "\0", "\ud7ff", "é" * 50,
    [], {}, [[]], {"$gt": None}, {"$ne": {}}, {"a\r\nb": 1}, "x" * 5000,
]  # fmt: skip
NAMES = [
    "$set",
    "$or",
    "$expr",
    "$regex",
    "$in",
    "id",
    "_registry",
    "nodes.nodeData",
    "",
    "a.",
    "$where",
    "limit",
    "\r\n",
]
PARAMETERS = ["revision", "at", "include", "limit", "since", "as", "wait", "fieldValidation", "dryRun", "filter", "x"]
PARAMETER_VALUES = [
    "0",
    "1",
    "-1",
    "9223372036854775808",
    "abc",
    "",
    "%00",
    "0s",
    "registry",
    "patch",
    "{}",
    "2026-01-01",
]
HEADERS = [
    ("If-Match", '"1"'), ("If-Match", "*"), ("If-Match", "W/x,"), ("If-None-Match", "*"), ("X-Reason", "%E9%00"),
    ("Accept", "application/x-ndjson"), ("Accept-Encoding", "gzip;q=0.5, zstd"), ("Expect", "100-continue"),
    ("Content-Encoding", "gzip"), ("Connection", "close"), ("Last-Event-ID", "1"), ("Upgrade", "h2c"), ("X-A", "\x80"),
]  # fmt: skip
MEDIA_TYPES = ["application/json"] * 12 + ["text/plain", "application/merge-patch+json", "application/json; charset=x"]


class Fuzzer:
    """Makes the requests of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def request(self) -> bytes:
        """One request, as it is sent."""
        random = self.random
        operation = random.choice(OPERATIONS)
        method = (
            operation.method if random.random() < 0.95 else random.choice(["GET", "PUT", "HEAD", "BREW", "OPTIONS"])
        )
        body = self._body() if random.random() < (0.9 if operation.body else 0.05) else b""
        lines = [f"{method} {self._path(operation.path)} HTTP/1.1", "Host: localhost"]
        if body or method in ("POST", "PUT", "PATCH"):
            lines += [f"Content-Type: {random.choice(MEDIA_TYPES)}", f"Content-Length: {len(body)}"]
        if random.random() < 0.2:
            lines += [f"{name}: {value}" for name, value in random.sample(HEADERS, random.randint(1, 2))]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _path(self, path: str) -> str:
        random = self.random
        for name in ("{id}", "{node_id:path}", "{node_id}", "{number}"):
            path = path.replace(name, random.choice(["west", "west", "a", "1", random.choice(IDS)]))
        if "watch" in path:
            return f"{path}?wait=0s"
        if random.random() < 0.25:
            path += f"?{random.choice(PARAMETERS)}={random.choice(PARAMETER_VALUES)}"
        return path.encode().decode("latin-1")

    def _body(self) -> bytes:
        random = self.random
        value = json.loads(json.dumps(random.choice([*BODIES, cluster(random.choice(["west", "east"]))])))
        for _ in range(random.choice([0, 1, 1, 2, 3])):
            value = self._changed(value)
        written = json.dumps(value).encode()
        if random.random() < 0.1:
            place = random.randrange(len(written) + 1)
            change: Callable[[], bytes] = random.choice(
                [
                    lambda: written[:place],
                    lambda: written[:place] + bytes([random.randrange(256)]) + written[place:],
                    lambda: written[:place] + written[place : place + 9] * random.randint(2, 200) + written[place:],
                    lambda: b"[" * random.randint(1, 300) + written,
                ]
            )
            written = change()
        return written

    def _changed(self, value: Any) -> Any:
        """The value with one change somewhere."""
        random = self.random
        if isinstance(value, dict) and value and random.random() < 0.85:
            name = random.choice(list(value))
            match random.randrange(5):
                case 0:
                    return {**value, random.choice(NAMES): random.choice(VALUES)}
                case 1:
                    return {(random.choice(NAMES) if key == name else key): each for key, each in value.items()}
                case 2:
                    return {key: each for key, each in value.items() if key != name}
                case _:
                    return {**value, name: self._changed(value[name])}
        if isinstance(value, list) and value and random.random() < 0.85:
            place = random.randrange(len(value))
            return [*value[:place], self._changed(value[place]), *value[place + random.randrange(2) :]]
        return random.choice([*VALUES, random.choice(BODIES), {random.choice(NAMES): value}, [value]])
