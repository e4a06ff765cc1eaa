"""Non-interference: two registries that differ only in what a caller may not see answer it alike, whatever it asks.

Every operation of the table is asked, so a new one is here before anybody thinks of it. What differs is hidden members
of clusters that the caller sees, and all of clusters that it does not see.
"""

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.api.declarations import JSON, Operation
from rollbook.api.operations import OPERATIONS
from tests.security.twins import Twins, twins

OF_CLUSTERS = ["read", "watch", "history", "create", "update", "delete", "restore", "protect", "nodes", "heartbeat"]
MINE = {"clusterMetadata.owner": {"$eq": {"$caller": "owner"}}}
ROLES: dict[str, Any] = {
    "veiled": [{"verbs": [*OF_CLUSTERS, "explain"], "filter": MINE, "hide": ["$secrets", "nodes.nodeData.serial"]}],
    "narrow": [
        {"verbs": [*OF_CLUSTERS, "explain"], "filter": MINE, "only": ["status", "clusterMetadata.owner", "tags", "a.b"]}
    ],
    "painter": [
        {"verbs": ["read", "history", "watch", "explain"], "filter": MINE, "hide": ["$secrets", "nodes", "a"]},
        {"verbs": ["update", "nodes", "heartbeat"], "filter": MINE, "write": ["tags", "status"]},
    ],
    "divided": [
        {"verbs": ["read", "history", "watch", "explain"], "hide": ["$secrets", "a", "clusterMetadata.name"]},
        {"verbs": [*OF_CLUSTERS, "explain"], "filter": {**MINE, "status": "live"}, "hide": ["$secrets", "a.c"]},
    ],
}
SEES_OTHERS = ("divided",)
"""Roles to which clusters of other owners are there."""

SECRETS = ("kubeadm join a", "kubeadm join b", 7, None, ["x", "y"], {"b": 1})
NODES = [{"id": "n1", "memory": 1}, {"id": "n2", "memory": 2}]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with twins(tmp_path_factory.mktemp("twins"), ROLES, owner="ml") as registries:
        yield registries


def mine(id: str, **hidden: Any) -> dict[str, Any]:
    """A cluster of the caller's. ``hidden`` are its members that every role hides."""
    metadata = {"name": "seen", "owner": "ml", **({"email": hidden["email"]} if "email" in hidden else {})}
    config = {"publicHostname": "w.net", **({"joinCommand": hidden["join"]} if "join" in hidden else {})}
    return {"id": id, "status": "live", "tags": ["t"], "clusterMetadata": metadata, "config": config}


def others(id: str, random: Random) -> dict[str, Any]:
    """A cluster of somebody else, of which the roles see nothing, or nothing that differs."""
    return {
        "id": id,
        "status": "live",
        "clusterMetadata": {"owner": "ops", "name": random.choice(("x", "y"))},
        "config": {"joinCommand": random.choice(SECRETS)},
        "a": random.choice(({"b": 1}, {"b": 2, "c": [1]}, 3)),
    }


def hidden(random: Random) -> dict[str, Any]:
    """What one of the registries has where the other may have something else, or nothing."""
    drawn = {"join": random.choice(SECRETS), "email": random.choice(("a@w.net", "b@w.net"))}
    return {name: value for name, value in drawn.items() if random.random() < 0.8}


class Fleet:
    """A fleet of a few clusters, whose past differs as their present does."""

    def __init__(self, both: Twins, random: Random) -> None:
        self.both, self.random = both, random
        number = next(_numbers)
        self.seen, self.other, self.gone = f"seen-{number}", f"other-{number}", f"gone-{number}"
        self.since = both.revision
        for id in (self.seen, self.gone):
            both.set_up("POST", "/clusters", *(mine(id, **hidden(random)) for _ in both.clients))
        both.set_up("POST", "/clusters", *(others(self.other, random) for _ in both.clients))
        self.first = both.revision
        for step in range(3):  # the last value is the same in both: what is hidden now differs in its past alone
            self._change(self.seen, step, *(random.choice(SECRETS) if step < 2 else "same" for _ in both.clients))
        self._change(self.other, 0, *(random.choice(SECRETS) for _ in both.clients))
        self._change(self.seen, 3, *(random.choice(SECRETS[:2]) for _ in both.clients))
        both.set_up("DELETE", f"/clusters/{self.gone}", None, None)

    def _change(self, id: str, step: int, *joins: Any) -> None:
        """A change of what every role hides, which is one in both."""
        updates = ({"config.joinCommand": join, "config.certHash": f"step-{step}"} for join in joins)
        self.both.set_up("PUT", f"/clusters/{id}", *updates)

    def take_down(self) -> None:
        """Delete what is left."""
        for client in self.both.clients:
            admin = {"authorization": "Bearer admin-" + "x" * 40}
            for id in (self.seen, self.other, self.gone, "east", "north", "cluster-west-vision-001"):
                client.delete(f"/clusters/{id}/protection", headers=admin)
                client.delete(f"/clusters/{id}", headers=admin)


@pytest.fixture
def fleet(both: Twins) -> Iterator[Fleet]:
    made = Fleet(both, Random(1))
    yield made
    made.take_down()


OPEN = frozenset({"getHealth", "getReadiness", "getMetrics"})
"""They say how the whole registry does, on a loopback interface to everybody: that is documented."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_answers_both_alike(fleet: Fleet, operation: Operation, role: str) -> None:
    if operation.name in OPEN:
        return
    ids = (fleet.seen, fleet.other, fleet.gone, "never") if "{id}" in operation.template else ("",)
    for id, parameters in itertools.product(ids, parameters_of(operation, fleet)):
        path = operation.template
        for name, value in (("{id}", id), ("{node_id}", "n1"), ("{number}", "1"), ("{name}", role)):
            path = path.replace(name, value)
        request: dict[str, Any] = {"params": parameters}
        if operation.body is not None:
            request |= {"content": orjson.dumps(operation.body.example), "headers": {"content-type": JSON}}
        if operation.streams:
            fleet.both.watched(role, operation.method, path, **request)
        else:
            fleet.both.asked(role, operation.method, path, **request)


def parameters_of(operation: Operation, fleet: Fleet) -> list[dict[str, Any]]:
    """Parameters that lead elsewhere: into the past, to what the registry knows, to a filter on what is hidden."""
    known = {parameter.name for parameter in operation.parameters}
    since = {"since": fleet.since} if operation.streams else {}
    told = [{}, {"revision": fleet.first}, {"since": fleet.since}, {"include": "registry"}, {"as": "patch"}]
    told += [{"as": "both", "since": fleet.since}, {"as": "document"}, {"dryRun": "true"}, {"upsert": "true"}]
    told += [{"filter": '{"config.joinCommand":"kubeadm join a"}', **since}]
    told += [{"sort": "-config.joinCommand"}, {"q": "config.joinCommand:*"}, {"fields": "config"}, {"limit": "1"}]
    return [{**since, **each} for each in told if each.keys() <= known]


PATHS = ("config.joinCommand", "config", "clusterMetadata.email", "clusterMetadata", "a", "a.b", "status", "tags", "id")
VALUES = (*SECRETS, "live", "t", "^kube", 1, True, {"publicHostname": "w.net"})


def clause(random: Random) -> Any:
    operator = random.choice(("$eq", "$ne", "$gt", "$lt", "$in", "$exists", "$type", "$regex", "$size", "$elemMatch"))
    value = random.choice(VALUES)
    operand = {
        "$in": [value, None],
        "$exists": random.random() < 0.5,
        "$type": random.choice(("string", "array", "number", "missing")),
        "$regex": random.choice(("^kubeadm join a", ".", "b$")),
        "$size": random.randint(0, 3),
        "$elemMatch": {"$eq": "x"},
    }.get(operator, value)
    return random.choice(({operator: operand}, {"$not": {operator: operand}}))


def filter_of(random: Random, depth: int = 1) -> dict[str, Any]:
    if depth and random.random() < 0.3:
        return {random.choice(("$and", "$or", "$nor")): [filter_of(random, depth - 1) for _ in range(2)]}
    path = random.choice(PATHS)
    match random.choice(("field", "field", "field", "expr", "schema")):
        case "expr":
            return {"$expr": {random.choice(("$eq", "$gt", "$regexMatch")): _expression(random, path)}}
        case "schema":
            return {"$jsonSchema": {"required": [path], "properties": {path: {"type": "string"}}}}
    return {path: clause(random)}


def _expression(random: Random, path: str) -> Any:
    return random.choice(([f"${path}", random.choice(VALUES)], [{"$type": f"${path}"}, "string"]))


def question(random: Random, fleet: Fleet) -> tuple[str, str, dict[str, Any]]:
    """A request about what may be hidden: a read, a watch or a write."""
    filter, path = filter_of(random), random.choice(PATHS)
    moment = random.choice(({}, {}, {"revision": fleet.first}))
    options = random.choice(({}, {"sort": {path: -1}, "limit": 2}, {"projection": {path: 1}}, {"include": "registry"}))
    stages = [
        {"$match": filter},
        random.choice(
            ({"$group": {"_id": f"${path}", "n": {"$sum": 1}}}, {"$sortByCount": f"${path}"}, {"$count": "n"})
        ),
    ]
    update = {
        random.choice(("$set", "$unset", "$rename", "$push", "$min", "$addToSet", "$pull")): {
            path: random.choice(VALUES)
        }
    }
    text = orjson.dumps(filter).decode()
    return random.choice(
        (
            ("POST", "/clusters/query", {"json": {"query": filter, **options}, "params": moment}),
            ("POST", "/clusters/query", {"json": {"query": filter, "sort": {path: 1}, "limit": 1, "cursor": None}}),
            ("POST", "/clusters/count", {"json": {"query": filter}, "params": moment}),
            ("POST", "/clusters/explain", {"json": {"query": filter, **options}}),
            ("POST", "/clusters/facets", {"json": {"query": filter, "facets": [path]}, "params": moment}),
            ("POST", "/clusters/distinct", {"json": {"query": filter, "key": path}, "params": moment}),
            ("POST", "/clusters/aggregate", {"json": stages, "params": moment}),
            ("GET", "/clusters", {"params": {"filter": text, "sort": path, **moment}}),
            ("GET", "/clusters/watch", {"params": {"filter": text, "since": fleet.since, "as": "both"}}),
            ("PUT", f"/clusters/{fleet.seen}", {"json": {"update": update, "filter": filter}}),
            ("PUT", f"/clusters/{fleet.seen}", {"json": update, "params": {"dryRun": "true"}}),
            ("PUT", f"/clusters/{fleet.seen}", {"json": [{"$set": {"tags": [f"${path}"]}}]}),
            ("PATCH", f"/clusters/{fleet.seen}", {"json": {"config": {"joinCommand": random.choice(VALUES)}}}),
            ("POST", f"/clusters/{fleet.seen}/restore", {"json": {"revision": fleet.first}}),
            ("GET", f"/clusters/{fleet.seen}/history", {"params": {"as": "both"}}),
            ("GET", "/changes", {"params": {"as": "both", "since": fleet.since}}),
            ("GET", f"/clusters/{fleet.seen}", {"params": moment}),
        )
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32))
def test_random_questions_are_answered_alike(both: Twins, seed: int) -> None:
    random = Random(seed)
    fleet = Fleet(both, random)
    try:
        for _ in range(12):
            method, path, request = question(random, fleet)
            ask = both.watched if path.endswith("/watch") else both.asked
            ask(random.choice(list(ROLES)), method, path, **request)
    finally:
        fleet.take_down()
