"""Large clusters: what is remembered of them makes writes quick, and nobody can tell it from the slow way.

The slow way decodes the stored bytes afresh for every step, so that nothing of it is remembered.
"""

import asyncio
import math
from collections.abc import Sequence
from itertools import pairwise
from operator import is_
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.large_documents import LARGE_BYTES, decode_versions
from rollbook.clusters.totals import TOTALS, derived_total
from rollbook.documents.merging import merged_members
from rollbook.documents.patching import patch_between
from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, StoredVersion
from rollbook.language.edits import parse_edit
from rollbook.limits import RequestBudget
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.registry import Registry
from rollbook.registry.writing import deciding, drafts
from rollbook.registry.writing.commands import Command, Current, Decision, Update
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import joining, leaving, patching, synchronising
from rollbook.registry.writing.submissions import BATCH_BYTES_MAX
from rollbook.view.index.keys import Key
from rollbook.view.index.ranges import make_column
from rollbook.view.index.trees import nodes_below
from rollbook.view.views import View
from tests.examples import cluster
from tests.registry.writing import TESTER, create, update

RULES = SchemaRules()
NODES = 300
Step = tuple[Any, ...]


def node(number: int, **members: Any) -> dict[str, Any]:
    random = Random(number)
    gpus = random.choice((1, 2, 8))
    return {
        "id": f"node-{number}",
        "gpus": {"count": gpus, "memory": gpus * 80, "gpus": [{"modelName": "A100", "memory": 80}] * gpus},
        "vcpus": {"count": random.choice((8, 16.5))},
        "memory": random.choice((512, 1024, 0.1)),
        "swap": 0,
        "storage": {"disks": 2, "size": 1000 + number},
        "network": {"interfaces": 1, "txBandwidth": 10, "rxBandwidth": 10},
        "nodeMetadata": {"host": f"h{number}.example.net", "note": "é" * 200},
        **members,
    }


def large(count: int = NODES) -> bytes:
    nodes = [node(number) for number in range(count)]
    document = cluster("west", nodes={"nodeData": nodes, "count": count}, gpus={"modelNames": ["A100"]})
    for total in TOTALS:
        derived, holder = derived_total(document, total), document
        for name in total[:-1]:
            holder = holder.setdefault(name, {})
        holder[total[-1]] = derived
    return orjson.dumps(document)


def command(step: Step) -> Command:
    match step:
        case "join", numbers, members:
            return EditNodes("west", joining([node(n, **members) for n in numbers], at=lambda _: ""), RULES)
        case "patch", number, members:
            return EditNodes("west", patching(f"node-{number}", lambda it, _: merged_members(it, members)), RULES)
        case "leave", number:
            return EditNodes("west", leaving(f"node-{number}"), RULES)
        case "synchronise", numbers:
            return EditNodes("west", synchronising([node(n) for n in numbers]), RULES)
        case "update", change:
            return Update("west", parse_edit(change), RULES)
    raise AssertionError(step)


def decided(step: Step, current: Current) -> Decision | tuple[type, str]:
    try:
        return command(step).decide(current, RequestBudget())
    except RegistryError as refusal:
        return type(refusal), str(refusal)


def outcome(decision: Decision | tuple[type, str]) -> Any:
    return (
        decision if isinstance(decision, tuple) else (decision.kind, decision.body, decision.warnings, decision.outcome)
    )


def fresh(body: bytes) -> bytes:
    """The same bytes, of which nothing is remembered."""
    return bytes(bytearray(body))


numbers = st.one_of(st.integers(0, 20), st.integers(NODES - 10, NODES + 10))
changes = st.sampled_from(
    [
        {"memory": 2048},
        {"memory": 0.3},
        {"memory": None},
        {"memory": "7"},
        {"memory": "many"},
        {"swap": 2**60},
        {"gpus": {"modelNames": ["H100"]}},
        {"tags": ["a"], "nodeMetadata": {"host": "other"}},
        {"storage": {"size": 1_000_000_000}},
        {"odd": {"é": [1, None]}},
    ]
)
updates = st.sampled_from(
    [
        {"$set": {"clusterMetadata.name": "another"}},
        {"$set": {"status": "down"}},
        {"$set": {"memory": 1}},
        {"$set": {"nodes.nodeData.5.memory": 99}},
        {"$set": {"nodes.nodeData.7.id": "node-8"}},
        {"$push": {"nodes.nodeData": node(5)}},
        {"$push": {"nodes.nodeData": {"$each": [node(1000), node(1001)], "$position": 3}}},
        {"$pull": {"nodes.nodeData": {"memory": 512}}},
        {"$pop": {"nodes.nodeData": -1}},
        {"$set": {"nodes.nodeData.$[].swap": 4}},
        {"$unset": {"nodes.nodeData.4": ""}},
        {"$set": {"nodes.nodeData": []}},
        {"$set": {"nodes.nodeData.2.gpus.count": 3.5, "nodes.nodeData.290.swap": 1}},
        {"$rename": {"nodes": "odd"}},
        [{"$set": {"nodes.count": {"$size": "$nodes.nodeData"}, "memory": {"$toLong": 5}}}],
    ]
)
steps = st.one_of(
    st.tuples(st.just("join"), st.lists(numbers, min_size=1, max_size=3), st.one_of(st.just({}), changes)),
    st.tuples(st.just("patch"), numbers, changes),
    st.tuples(st.just("leave"), numbers),
    st.tuples(st.just("synchronise"), st.sampled_from([range(280), range(5, 310), range(299, 0, -1)])),
    st.tuples(st.just("update"), updates),
)
START = large()


def test_the_cluster_of_these_tests_is_large() -> None:
    assert len(START) > LARGE_BYTES


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=8))
def test_a_write_on_a_remembered_document_is_the_write_on_its_bytes(walk: Sequence[Step]) -> None:
    current = Current(fresh(START), 1)
    for revision, step in enumerate(walk, 2):
        quick, slow = decided(step, current), decided(step, Current(fresh(current.body), current.revision))
        assert outcome(quick) == outcome(slow)
        if isinstance(quick, Decision) and quick.body is not None and quick.versions is not None:
            assert orjson.dumps(quick.versions[1]) == quick.body == orjson.dumps(orjson.loads(quick.body))
            current = Current(quick.body, revision)


def terms(view: View) -> dict[Any, Any]:
    """All that the index knows: numbers of documents by path and key, and how many of their elements have which."""
    known: dict[Any, Any] = {}
    for node in nodes_below(view.index.root):
        for key in (*node.postings, *node.lone_digests):
            known[node.path, shown(key)] = node.get(key).to_array().tolist()
        if node.column is not None and any(numbers := [node.column.get(number) for number in view.index.live]):
            known[node.path, "column"] = numbers
    for at, elements in view.index.elements.items():
        for node in nodes_below(elements.root):
            for key in (*node.postings, *node.lone_digests):
                owners = [view.index.elements[at].documents_of(node.get(key), view.index.size).to_array().tolist()]
                known["elements", node.path, shown(key)] = (len(node.get(key)), owners)
    return known


def make_columns(view: View, paths: Sequence[tuple[str, ...]]) -> None:
    for node in nodes_below(view.index.root):
        if node.path in paths:
            make_column(node, view.index.size)


def shown(key: Key) -> Any:
    return key if isinstance(key, (int, float, str, bytes)) else repr(key)


def kept(id: str, body: bytes) -> StoredVersion:
    return StoredVersion(id, body, 1, 1, 1, 1, 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6), st.booleans())
def test_an_index_that_followed_writes_is_the_one_of_the_documents_as_they_are(
    walk: Sequence[Step], with_column: bool
) -> None:
    east = orjson.dumps({**orjson.loads(START), "id": "east"})
    view = View()
    view.load([kept("west", START), kept("east", east)], 1)
    columns = [("memory",), ("nodes", "nodeData", "memory"), ("nodes", "nodeData", "storage", "size")]
    if with_column:
        make_columns(view, columns)
    current = Current(fresh(START), 1)
    for step in walk:
        decision = decided(step, current)
        if isinstance(decision, tuple) or decision.kind is None or decision.body is None:
            continue
        change = Change(view.revision + 1, "west", "updated", 2, current.body, decision.body)
        versions = {} if decision.versions is None else {change.revision: decision.versions}
        view.apply([change], versions)
        current = Current(decision.body, change.revision)
    afresh = View()
    afresh.load([kept("west", fresh(current.body)), kept("east", east)], view.revision)
    if with_column:
        make_columns(afresh, columns)
    assert terms(view) == terms(afresh)


def test_totals_kept_up_through_hundreds_of_joins_and_leaves_are_the_sums_over_the_nodes() -> None:
    current = Current(fresh(START), 1)
    for number in range(600):
        step = ("join", [NODES + number], {"memory": 0.1 * number}) if number % 3 else ("leave", number // 3)
        decision = decided(step, current)
        assert isinstance(decision, Decision)
        assert decision.body is not None
        current = Current(decision.body, current.revision + 1)
    document = orjson.loads(current.body)
    nodes = document["nodes"]["nodeData"]
    assert document["memory"] == math.fsum(node["memory"] for node in nodes)
    assert document["storage"]["size"] == sum(node["storage"]["size"] for node in nodes)
    assert document["nodes"]["count"] == len(nodes) == NODES + 200


async def test_writes_on_other_clusters_pass_those_that_wait_for_a_large_one(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "BATCH_SECONDS", 60.0)  # however slow the machine is,
    monkeypatch.setattr(deciding, "SHARE_SECONDS", 60.0)  # what has no room is all that ends a batch
    document = orjson.loads(large(BATCH_BYTES_MAX // len(START) * NODES * 2 // 3))
    west = parse_creation(document, rules=registry.rules, limits=registry.limits)
    await asyncio.gather(registry.write(TESTER, west), create(registry, "east"))
    await registry.write(TESTER, command(("join", [100_000], {})))  # from now on it is in use
    joins = [registry.write(TESTER, command(("join", [200_000 + n], {}))) for n in range(4)]
    results = await asyncio.gather(*joins, update(registry, "east", {"status": "down"}))
    revisions = [result.revision for result in results[:-1]]
    assert revisions == sorted(revisions), "writes on one cluster keep their order"
    assert results[-1] < revisions[-1], "and others do not wait for all of them"
    nodes = orjson.loads(registry.entry(TESTER, "west").body)["nodes"]["nodeData"]
    assert [node["id"] for node in nodes[-4:]] == [f"node-{200_000 + n}" for n in range(4)]
    assert registry.journal.inspection.problems() == []


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6), st.booleans(), st.sampled_from([{}, {"note": "\0shared 0"}]))
def test_versions_that_are_decoded_beside_each_other_are_those_of_their_bytes(
    walk: Sequence[Step], backward: bool, odd: dict[str, Any]
) -> None:
    bodies = [orjson.dumps({**orjson.loads(START), **odd})]
    for step in walk:
        decision = decided(step, Current(bodies[-1], 1))
        if isinstance(decision, Decision) and decision.body is not None:
            bodies.append(decision.body)
    bodies = [fresh(body) for body in (reversed(bodies) if backward else bodies)]
    for before, after in pairwise(bodies):
        documents = decode_versions(before, after)
        assert [orjson.dumps(document) for document in documents] == [before, after]
        patch = patch_between(*documents)
        assert patch == patch_between(orjson.loads(before), orjson.loads(after))


def test_versions_that_follow_each_other_share_their_nodes() -> None:
    step = decided(("patch", 150, {"memory": 7}), Current(START, 1))
    assert isinstance(step, Decision)
    before, after = decode_versions(fresh(START), fresh(step.body or b""))
    same = sum(map(is_, before["nodes"]["nodeData"], after["nodes"]["nodeData"]))  # type: ignore[index, call-overload]
    assert same == NODES - 1
