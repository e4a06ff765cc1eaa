"""What becomes of a document after an update: the result is judged, and the stored document is the measure."""

from typing import Any

import pytest

from rollbook.clusters.acceptance import SchemaRules, accept_new, accept_update
from rollbook.errors import DocumentInvalid, IdImmutable
from tests.api.specified import EXAMPLE
from tests.clusters.updating import DEFAULT, LENIENT, STRICT, updated
from tests.examples import cluster, node

SPARSE: dict[str, Any] = accept_new(
    {
        "id": "old",
        "nodes": {"count": 9, "nodeData": [{"id": "a", "status": "active"}, {"id": "b"}]},
        "gpus": {"count": 4},
        "config": {"os": "Linux"},
    },
    rules=LENIENT,
).document
"""A document that lenient rules let in: default rules find 21 missing leaves."""

BROKEN: dict[str, Any] = {**EXAMPLE, "tags": [1, "a"], "memory": -5, "regionId": 7}
"""A document that no rules let in, as another program may have stored it."""


def problems(before: dict[str, Any], update: dict[str, Any], rules: SchemaRules = DEFAULT) -> list[str]:
    """Where a refused update breaks the schema."""
    with pytest.raises(DocumentInvalid) as refused:
        updated(before, update, rules)
    return [problem.at for problem in refused.value.problems]


def test_an_update_that_changes_nothing_gives_the_very_same_document() -> None:
    assert updated(EXAMPLE, {"$set": {"status": "live"}}).document is EXAMPLE
    assert updated(BROKEN, {"$set": {"status": "live"}}, STRICT).document is BROKEN


def test_an_update_that_needs_nothing_is_returned_as_it_is() -> None:
    after = {**EXAMPLE, "status": "draining"}

    assert accept_update(EXAMPLE, after, touched=frozenset({("status",)}), rules=DEFAULT).document is after


@pytest.mark.parametrize(
    ("update", "at"),
    [
        ({"memory": "lots"}, ["/memory"]),
        ({"memory": True}, ["/memory"]),
        ({"$inc": {"memory": -196609}}, ["/memory"]),
        ({"nodes": 5}, ["/nodes"]),
        ({"nodes.nodeData": "x"}, ["/nodes/nodeData"]),
        ({"gpus": {"count": 10}}, ["/gpus/memory"]),
        ({"$push": {"nodes.nodeData": {"id": "c"}}}, [
            "/nodes/nodeData/2/gpus/count",
            "/nodes/nodeData/2/gpus/memory",
            "/nodes/nodeData/2/vcpus/count",
            "/nodes/nodeData/2/memory",
            "/nodes/nodeData/2/swap",
            "/nodes/nodeData/2/storage/disks",
            "/nodes/nodeData/2/storage/size",
            "/nodes/nodeData/2/network/interfaces",
            "/nodes/nodeData/2/network/txBandwidth",
            "/nodes/nodeData/2/network/rxBandwidth",
        ]),
        ({"$unset": {"nodes.nodeData.0.swap": ""}}, ["/nodes/nodeData/0/swap"]),
        ({"$unset": {"clusterMetadata.owner": ""}}, ["/clusterMetadata/owner"]),
        ({"clusterMetadata": None}, [f"/clusterMetadata/{name}" for name in ("name", "description", "owner")]),
        ({"$unset": {"config": ""}}, ["/config/publicHostname"]),
        ({"$rename": {"config.publicHostname": "config.host"}}, ["/config/publicHostname"]),
    ],
)  # fmt: skip
def test_a_result_that_breaks_the_schema_is_refused(update: dict[str, Any], at: list[str]) -> None:
    assert problems(EXAMPLE, update) == at


@pytest.mark.parametrize("rules", [DEFAULT, LENIENT])
@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("status", ["/status"]),
        ("tags", ["/tags"]),
        ("memory", ["/memory"]),
        ("nodes.count", ["/nodes/count"]),
        ("storage", ["/storage/disks", "/storage/size"]),
    ],
)
def test_what_the_system_filled_can_not_be_removed(path: str, at: list[str], rules: SchemaRules) -> None:
    assert problems(EXAMPLE, {"$unset": {path: ""}}, rules) == at


@pytest.mark.parametrize("update", [{"id": "other"}, {"id": 5}, {"id": None}])
def test_the_id_is_immutable(update: dict[str, Any]) -> None:
    with pytest.raises(IdImmutable) as refused:
        accept_update(EXAMPLE, {**EXAMPLE, **update}, touched=frozenset({("id",)}), rules=LENIENT)
    assert (refused.value.at, refused.value.mongo_code) == ("/id", 66)


def test_the_id_can_not_be_removed() -> None:
    after = {name: value for name, value in EXAMPLE.items() if name != "id"}
    with pytest.raises(IdImmutable):
        accept_update(EXAMPLE, after, touched=None, rules=DEFAULT)


@pytest.mark.parametrize(
    "update",
    [
        {"reputation": 5},
        {"nodes.nodeData.0.memory": 5},
        {"$push": {"nodes.nodeData": node("c")}},
        {"$pop": {"nodes.nodeData": -1}},
        {"$push": {"tags": "new"}},
        {"$push": {"tags": {"$each": ["new"], "$position": 0}}},
        {"nodes.nodeData.0.status": "gone"},
        {"regionId": "eu"},
        {"memory": 5},
    ],
)
@pytest.mark.parametrize("before", [SPARSE, BROKEN], ids=["sparse", "broken"])
def test_a_problem_that_was_there_does_not_block_an_unrelated_update(
    before: dict[str, Any], update: dict[str, Any]
) -> None:
    assert updated(before, update).document != before


@pytest.mark.parametrize(
    ("before", "update", "at"),
    [
        (SPARSE, {"$push": {"nodes.nodeData": {"id": "a"}}}, "/nodes/nodeData/2/gpus/count"),
        (SPARSE, {"$push": {"nodes.nodeData": {**node("c"), "swap": "?"}}}, "/nodes/nodeData/2/swap"),
        (SPARSE, {"nodes.nodeData.0.id": "z"}, "/nodes/nodeData/0/gpus/count"),
        (BROKEN, {"memory": -6}, "/memory"),
        (BROKEN, {"regionId": 8}, "/regionId"),
        (BROKEN, {"$push": {"tags": 1}}, "/tags/2"),
        (BROKEN, {"swap": -1}, "/swap"),
    ],
)
def test_a_new_problem_blocks_beside_old_ones(before: dict[str, Any], update: dict[str, Any], at: str) -> None:
    assert problems(before, update)[0] == at


def test_old_problems_move_with_their_nodes() -> None:
    before = {**EXAMPLE, "nodes": {"count": 3, "nodeData": [node("a"), {**node("b"), "swap": "?"}, node("c")]}}

    after = updated(before, {"$pop": {"nodes.nodeData": -1}}).document

    assert [each["swap"] for each in after["nodes"]["nodeData"]] == ["?", 0]
    assert problems(before, {"nodes.nodeData": [{**node("a"), "swap": "?"}]}) == ["/nodes/nodeData/0/swap"]


def test_old_problems_are_counted_where_a_list_is_written_anew() -> None:
    broken = {**node("a"), "swap": "?"}
    before = {**EXAMPLE, "nodes": {"count": 2, "nodeData": [broken, node("b")]}}

    assert updated(before, {"nodes.nodeData": [node("c"), {**broken, "memory": 5}]}).document != before
    assert problems(before, {"nodes.nodeData": [{**broken, "memory": 5}, {**broken, "memory": 6}]}) == [
        "/nodes/nodeData/1/swap",
        "/nodes/nodeData/1/id",
    ]


def test_an_unrelated_update_leaves_the_rest_as_it_is_stored() -> None:
    before = {**EXAMPLE, "config": {"publicHostname": "h"}, "swap": "5", "regionId": None, "zone": "b"}

    assert updated(before, {"reputation": 1}).document == {**before, "reputation": 1}
    assert updated(before, {"config.os": "x", "swap": "6"}).document == {
        **{name: value for name, value in before.items() if name != "config"},
        "config": {
            "policyExecutorId": "",
            "policyExecutionMode": "local",
            "publicHostname": "h",
            "useGateway": True,
            "os": "x",
        },
        "swap": 6,
    }


def test_null_on_an_optional_field_removes_it_and_is_not_stored() -> None:
    after = updated(
        EXAMPLE, {"$set": {"regionId": None, "config.customPolicySystem": None, "reputation": None}}
    ).document

    assert after == {
        **{name: value for name, value in EXAMPLE.items() if name not in ("regionId", "reputation")},
        "config": {name: value for name, value in EXAMPLE["config"].items() if name != "customPolicySystem"},
    }
    assert problems(EXAMPLE, {"status": None, "memory": None}) == ["/status", "/memory"]


def test_numbers_sent_as_text_are_cast_and_operators_compute_with_them() -> None:
    after = updated(EXAMPLE, {"$set": {"swap": "7"}, "$inc": {"memory": "1"}, "$max": {"reputation": "95"}}).document

    assert (after["swap"], after["memory"], after["reputation"]) == (7, 196609, 95)


def test_the_url_map_belongs_to_its_writer() -> None:
    def url_map(update: dict[str, Any]) -> Any:
        return updated(EXAMPLE, update).document["config"].get("urlMap", "none")

    assert url_map({"config.urlMap": {}}) == {}
    assert url_map({"config.urlMap": None}) == "none"
    assert url_map({"$unset": {"config.urlMap": ""}}) == "none"
    assert url_map({"config.urlMap": {"metricsService": "http://m"}}) == {"metricsService": "http://m"}
    assert url_map({"config.urlMap": {"publicGateway": ["http://g"], "membershipServer": ["http://s"]}}) == {
        "publicGateway": "http://g",
        "membershipServer": "http://s",
    }
    assert problems(EXAMPLE, {"config.urlMap": {"publicGateway": ["a", "b"]}}) == ["/config/urlMap/publicGateway"]


def test_an_array_that_hides_in_the_url_map_is_unwrapped_though_all_else_is_sound() -> None:
    after = updated(EXAMPLE, {"config.urlMap.membershipServer": ["http://s"]}).document

    assert after["config"]["urlMap"] == {**EXAMPLE["config"]["urlMap"], "membershipServer": "http://s"}


def test_defaults_of_a_replaced_config_are_filled_again_but_not_its_urls() -> None:
    after = updated(EXAMPLE, {"$set": {"config": {"publicHostname": "new"}}}).document

    assert after["config"] == {
        "policyExecutorId": "",
        "policyExecutionMode": "local",
        "publicHostname": "new",
        "useGateway": True,
    }


def test_a_reply_always_has_a_list_of_nodes() -> None:
    after = updated(EXAMPLE, {"$unset": {"nodes.nodeData": ""}}).document

    assert after["nodes"] == {"count": 0, "nodeData": []}
    assert after["gpus"] == {"count": 0, "memory": 0}


def test_an_update_warns_of_what_it_brings_in_only() -> None:
    before = accept_new(cluster("west", node("a"), node("a"), zone="b"), rules=DEFAULT).document

    assert updated(before, {"reputation": 1}).warnings == ()
    assert updated(before, {"zone": "c"}).warnings == ()
    assert updated(before, {"memory": 5}).warnings == (
        "totals are kept as given: memory is 5, but nodes.nodeData gives 2048",
    )
    assert updated(before, {"$push": {"nodes.nodeData": node("b") | {"labels": []}}, "rack": 1}).warnings == (
        "fields that no schema documents are kept as they are: rack, nodes.nodeData.labels",
    )


def test_an_update_adds_no_second_node_of_an_id_and_keeps_those_that_are_there() -> None:
    before = accept_new(cluster("west", node("a"), node("a"), node("b")), rules=DEFAULT).document

    for push in ([node("b")], [node("c"), node("c")], [node("a")]):
        at = f"/nodes/nodeData/{2 + len(push)}/id"
        assert problems(before, {"$push": {"nodes.nodeData": {"$each": push}}}) == [at]
        assert problems(before, {"$push": {"nodes.nodeData": {"$each": push}}}, LENIENT) == [at]
    assert problems(before, {"nodes.nodeData.2.id": "a"}) == ["/nodes/nodeData/2/id"]
    assert updated(before, {"nodes.nodeData": [node("a", memory=1), node("a", memory=2)]}).document["memory"] == 3
    assert updated(before, {"nodes.nodeData.0.id": "c"}).document["nodes"]["count"] == 3
    assert updated(before, {"nodes.nodeData.0.id": "z", "nodes.nodeData.2.id": "a"}).warnings == ()


def test_strict_rules_refuse_new_unknown_fields_only() -> None:
    before = accept_new(cluster("west", node("a") | {"labels": []}, zone="b"), rules=DEFAULT).document

    assert updated(before, {"zone": "c", "nodes.nodeData.0.labels": ["x"]}, STRICT).warnings == ()
    assert problems(before, {"rack": 1, "config.os": "x"}, STRICT) == ["/rack", "/config/os"]
    assert problems(before, {"$push": {"nodes.nodeData": node("b") | {"labels": []}}}, STRICT) == [
        "/nodes/nodeData/1/labels"
    ]


def test_what_a_pipeline_made_is_read_and_judged_too() -> None:
    after = {**EXAMPLE, "swap": "7", "regionId": None}

    accepted = accept_update(EXAMPLE, after, touched=None, rules=DEFAULT).document

    assert accepted["swap"] == 7
    assert "regionId" not in accepted
