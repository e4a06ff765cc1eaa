"""Nodes joining and leaving: the list edited, the totals derived whatever they were."""

from typing import Any

from rollbook.clusters.acceptance import accept_new
from rollbook.clusters.membership import with_nodes, with_synchronised_nodes, without_node
from rollbook.clusters.totals import contradictions_in
from tests.clusters.updating import DEFAULT
from tests.examples import cluster, node

GPUS = {"count": 9, "memory": 9, "modelNames": ["NVIDIA A100"]}
WEST: dict[str, Any] = accept_new(cluster("west", node("a"), node("b"), memory=5, gpus=GPUS), rules=DEFAULT).document


def test_a_node_joins_or_takes_the_place_of_its_namesake() -> None:
    joined = with_nodes(WEST, [node("c", gpus=1, model="NVIDIA V100")])
    replaced = with_nodes(joined, [node("a", memory=1)])

    assert joined["gpus"] == {"count": 5, "memory": 5 * 16384, "modelNames": ["NVIDIA A100", "NVIDIA V100"]}
    assert [each["id"] for each in replaced["nodes"]["nodeData"]] == ["a", "b", "c"]
    assert (replaced["nodes"]["count"], replaced["memory"]) == (3, 2049)


def test_totals_are_derived_down_to_the_last_node_that_leaves() -> None:
    left = without_node(without_node(WEST, "a"), "b")

    assert left["nodes"] == {"count": 0, "nodeData": []}
    assert (left["memory"], left["gpus"]) == (0, {"count": 0, "memory": 0, "modelNames": []})


def test_a_report_without_what_people_wrote_leaves_it_alone() -> None:
    noted = with_nodes(WEST, [node("a") | {"tags": ["rack-1"], "nodeMetadata": {"owner": "x"}}])

    (synchronised,) = with_synchronised_nodes(noted, [node("a") | {"tags": []}])["nodes"]["nodeData"]

    assert (synchronised["tags"], synchronised["nodeMetadata"]) == ([], {"owner": "x"})


def test_numbers_sent_as_text_count_in_the_totals() -> None:
    joined = with_nodes(WEST, [node("c") | {"memory": "5"}])

    assert (joined["nodes"]["nodeData"][2]["memory"], joined["memory"]) == (5, 2053)
    assert contradictions_in(joined) == []
