"""Totals follow the list of nodes where they matched it."""

from typing import Any

import pytest

from rollbook.clusters.acceptance import accept_new, accept_update
from rollbook.clusters.totals import TOTALS, contradictions_in
from rollbook.documents.editing import value_at
from tests.api.specified import EXAMPLE
from tests.clusters.updating import DEFAULT, LENIENT, updated
from tests.examples import cluster, node

WEST: dict[str, Any] = accept_new(cluster("west", node("a"), node("b", gpus=4)), rules=DEFAULT).document


def totals_of(document: dict[str, Any]) -> list[Any]:
    return [value_at(document, total) for total in TOTALS]


def test_there_are_the_documented_totals() -> None:
    assert totals_of(EXAMPLE) == [2, 3, 49152, 48, 196608, 12288, 3, 1572864, 3, 15000, 15000]
    assert contradictions_in(EXAMPLE) == []


@pytest.mark.parametrize(
    ("update", "count", "gpus", "memory"),
    [
        ({"$push": {"nodes.nodeData": node("c", gpus=1, memory=7)}}, 3, 7, 2055),
        ({"$pull": {"nodes.nodeData": {"id": "a"}}}, 1, 4, 1024),
        ({"$pull": {"nodes.nodeData": {"gpus.count": {"$gte": "4"}}}}, 1, 2, 1024),
        ({"nodes.nodeData": []}, 0, 0, 0),
        ({"nodes.nodeData.1.memory": 1}, 2, 6, 1025),
        ({"$inc": {"nodes.nodeData.$[].memory": 1}}, 2, 6, 2050),
        ({"$push": {"nodes.nodeData": node("c")}, "$inc": {"nodes.count": 1}}, 3, 8, 3072),
    ],
)
def test_totals_that_matched_follow(update: dict[str, Any], count: int, gpus: int, memory: int) -> None:
    after = updated(WEST, update).document

    assert (after["nodes"]["count"], after["gpus"]["count"], after["memory"]) == (count, gpus, memory)
    assert contradictions_in(after) == []


def test_a_total_that_the_update_sets_is_its_own_affair() -> None:
    accepted = updated(
        WEST, {"$push": {"nodes.nodeData": node("c")}, "$set": {"memory": 1, "gpus": {"count": 0, "memory": 0}}}
    )

    assert (accepted.document["memory"], accepted.document["gpus"]) == (1, {"count": 0, "memory": 0})
    assert accepted.document["nodes"]["count"] == 3
    assert accepted.document["vcpus"] == {"count": 24}
    assert len(accepted.warnings) == 1


def test_each_total_is_judged_by_itself() -> None:
    before = {**WEST, "memory": 5}

    after = updated(before, {"$push": {"nodes.nodeData": node("c")}}).document

    assert (after["memory"], after["swap"], after["vcpus"]) == (5, 0, {"count": 24})


def test_sums_of_fractions_are_compared_with_a_tolerance() -> None:
    parts = [node(str(n)) | {"swap": 0.1} for n in range(3)]
    before = accept_new(cluster("west", *parts, swap=0.3), rules=DEFAULT)

    after = updated(before.document, {"$pop": {"nodes.nodeData": 1}}).document

    assert before.warnings == ()
    assert after["swap"] == 0.2


def test_a_node_without_a_figure_counts_as_zero_but_contradicts_nothing() -> None:
    before = accept_new(
        {"id": "old", "nodes": {"nodeData": [{"id": "a"}]}, "gpus": {"count": 0}, "swap": 3}, rules=LENIENT
    )

    after = updated(before.document, {"$push": {"nodes.nodeData": node("b")}}, LENIENT).document

    assert before.warnings == ()
    assert (after["nodes"]["count"], after["gpus"]["count"], after["swap"]) == (2, 2, 3)


def test_sums_beyond_64_bits_are_doubles() -> None:
    huge = node("c") | {"memory": 2**63 - 1}

    assert updated(WEST, {"$push": {"nodes.nodeData": huge}}).document["memory"] == float(2**63 + 2047)


def test_model_names_follow_where_a_cluster_has_them_and_they_matched() -> None:
    push = {"$push": {"nodes.nodeData": node("c", model="NVIDIA V100")}}
    named = {**WEST, "gpus": {**WEST["gpus"], "modelNames": ["NVIDIA A100"]}}
    wrong = {**WEST, "gpus": {**WEST["gpus"], "modelNames": ["T4"]}}

    assert updated(named, push).document["gpus"]["modelNames"] == ["NVIDIA A100", "NVIDIA V100"]
    assert updated(wrong, push).document["gpus"]["modelNames"] == ["T4"]
    assert "modelNames" not in updated(WEST, push).document["gpus"]
    assert updated(named, {**push, "$set": {"gpus.modelNames": []}}).document["gpus"]["modelNames"] == []


def test_models_of_a_node_that_names_none_are_those_of_its_gpus() -> None:
    named = {**WEST, "gpus": {**WEST["gpus"], "modelNames": ["NVIDIA A100"]}}
    joining = node("c", model="NVIDIA V100")
    del joining["gpus"]["modelNames"]

    after = updated(named, {"$push": {"nodes.nodeData": joining}}).document

    assert after["gpus"]["modelNames"] == ["NVIDIA A100", "NVIDIA V100"]


def test_after_a_pipeline_totals_whose_value_changed_are_its_own_affair() -> None:
    nodes = {"count": 2, "nodeData": [*WEST["nodes"]["nodeData"], node("c")]}

    after = accept_update(WEST, {**WEST, "nodes": nodes, "memory": 1}, touched=None, rules=DEFAULT).document

    assert (after["nodes"]["count"], after["memory"], after["vcpus"]) == (3, 1, {"count": 24})
