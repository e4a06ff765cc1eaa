"""What becomes of a document at creation: read as it was meant, filled, judged."""

import copy
from typing import Any

import pytest

from rollbook.clusters.acceptance import PROBLEMS_LISTED_MAX, SchemaRules, accept_new
from rollbook.errors import DocumentInvalid, IdRefused
from rollbook.limits import DEFAULT_LIMITS
from tests.api.specified import EXAMPLE
from tests.examples import cluster, node

DEFAULT, LENIENT = SchemaRules(), SchemaRules(mode="lenient")
STRICT = DEFAULT.with_unknown_fields("strict")


def problems(document: dict[str, Any], rules: SchemaRules = DEFAULT) -> dict[str, str]:
    """The problems of a refused document, by their pointers."""
    with pytest.raises((DocumentInvalid, IdRefused)) as refused:
        accept_new(document, rules=rules)
    return {problem.at: problem.problem for problem in refused.value.problems}


def test_the_documented_example_needs_nothing() -> None:
    accepted = accept_new(EXAMPLE, rules=STRICT)

    assert accepted.document is EXAMPLE
    assert accepted.warnings == ()


def test_what_the_system_fills_may_be_absent() -> None:
    given = cluster("west", node("a"), node("b", gpus=1, model="NVIDIA V100"))
    del given["status"], given["tags"]
    untouched = copy.deepcopy(given)

    accepted = accept_new(given, rules=DEFAULT)

    assert accepted.document == {
        "id": "west",
        "regionId": "us-west-2",
        "status": "registered",
        "nodes": {"count": 2, "nodeData": given["nodes"]["nodeData"]},
        "gpus": {"count": 3, "memory": 3 * 16384},
        "vcpus": {"count": 16},
        "memory": 2048,
        "swap": 0,
        "storage": {"disks": 2, "size": 4096},
        "network": {"interfaces": 2, "txBandwidth": 200, "rxBandwidth": 200},
        "config": {
            "policyExecutorId": "",
            "policyExecutionMode": "local",
            "publicHostname": "west.example.net",
            "useGateway": True,
            "urlMap": {
                "controllerService": "http://west.example.net:32000/controller",
                "metricsService": "http://west.example.net:32000/metrics",
                "blocksQuery": "http://west.example.net:32000/blocks",
                "publicGateway": "http://west.example.net:32000",
                "parameterUpdater": "http://west.example.net:32000/mgmt",
            },
        },
        "tags": [],
        "clusterMetadata": {"name": "west", "description": "for tests", "owner": "tests"},
    }
    assert accepted.warnings == ()
    assert given == untouched


def test_urls_are_filled_though_nothing_else_is_missing() -> None:
    config = {name: value for name, value in EXAMPLE["config"].items() if name != "urlMap"}

    assert accept_new({**EXAMPLE, "config": config}, rules=DEFAULT).document == EXAMPLE
    assert accept_new({**EXAMPLE, "config": {**config, "urlMap": {}}}, rules=DEFAULT).document == EXAMPLE


def test_no_two_documents_share_what_they_were_filled_with() -> None:
    first, second = (accept_new({"id": id}, rules=LENIENT).document for id in ("a", "b"))

    assert first["tags"] == second["tags"]
    assert first["tags"] is not second["tags"]


def test_filled_fields_stand_in_documented_order() -> None:
    given = cluster()
    del given["status"], given["tags"]

    accepted = accept_new(given, rules=DEFAULT).document

    assert list(accepted) == [name for name in EXAMPLE if name != "reputation"]
    assert list(accepted["config"]) == [
        "policyExecutorId",
        "policyExecutionMode",
        "publicHostname",
        "useGateway",
        "urlMap",
    ]


def test_given_fields_keep_their_own_order() -> None:
    given = dict(reversed(cluster(zone="b").items()))

    accepted = accept_new(given, rules=DEFAULT).document

    assert [name for name in accepted if name in given] == list(given)


def test_without_a_gateway_services_have_ports_of_their_own() -> None:
    given = cluster(config={"publicHostname": "h", "useGateway": False, "urlMap": {"blocksQuery": "http://mine"}})

    assert accept_new(given, rules=DEFAULT).document["config"]["urlMap"] == {
        "controllerService": "http://h:32300",
        "metricsService": "http://h:32301",
        "blocksQuery": "http://mine",
        "publicGateway": "http://h:32000",
        "parameterUpdater": "http://h:32303",
    }


def test_a_cluster_without_nodes_has_totals_of_zero() -> None:
    given = cluster()
    del given["nodes"]

    accepted = accept_new(given, rules=DEFAULT)

    assert accepted.document["nodes"] == {"count": 0, "nodeData": []}
    assert accepted.document["gpus"] == {"count": 0, "memory": 0}
    assert accepted.warnings == ()


def test_totals_can_not_be_derived_from_nodes_that_are_counted_but_not_listed() -> None:
    given = cluster(nodes={"count": 3}, gpus={"count": 8}, memory=64)

    found = problems(given)

    assert set(found) == {
        "/gpus/memory",
        "/vcpus/count",
        "/swap",
        "/storage/disks",
        "/storage/size",
        "/network/interfaces",
        "/network/txBandwidth",
        "/network/rxBandwidth",
    }


def test_given_totals_stay_and_contradictions_are_reported() -> None:
    given = cluster("west", node("a"), node("b"), gpus={"count": 5, "memory": 65536})

    accepted = accept_new(given, rules=DEFAULT)

    assert accepted.document["gpus"] == {"count": 5, "memory": 65536}
    assert accepted.warnings == ("totals are kept as given: gpus.count is 5, but nodes.nodeData gives 4",)


def test_the_parsers_nulls_mean_absent() -> None:
    given = cluster(
        regionId=None,
        reputation=None,
        memory=None,
        swap=None,
        status=None,
        tags=None,
        gpus={"count": None, "memory": 32768},
        storage=None,
    )
    given["nodes"]["count"] = None
    given["config"] |= {"urlMap": None, "customPolicySystem": None}
    given["clusterMetadata"]["email"] = None
    given["nodes"]["nodeData"][0]["gpus"]["features"] = None

    accepted = accept_new(given, rules=DEFAULT).document

    assert "regionId" not in accepted
    assert "reputation" not in accepted
    assert (accepted["status"], accepted["tags"], accepted["memory"], accepted["swap"]) == ("registered", [], 1024, 0)
    assert accepted["gpus"] == {"count": 2, "memory": 32768}
    assert accepted["storage"] == {"disks": 1, "size": 2048}
    assert "customPolicySystem" not in accepted["config"]
    assert "email" not in accepted["clusterMetadata"]
    assert "features" not in accepted["nodes"]["nodeData"][0]["gpus"]
    assert len(accepted["config"]["urlMap"]) == 5


def test_null_is_a_value_inside_free_form_and_unknown_fields() -> None:
    given = cluster(zone=None)
    given["config"]["customPolicySystem"] = {"version": None, "memory": "5"}
    given["clusterMetadata"]["additionalInfo"] = {"joinCommand": None, "": [None], "a.b": "1"}

    accepted = accept_new(given, rules=DEFAULT).document

    assert accepted["zone"] is None
    assert accepted["config"]["customPolicySystem"] == {"version": None, "memory": "5"}
    assert accepted["clusterMetadata"]["additionalInfo"] == {"joinCommand": None, "": [None], "a.b": "1"}


def test_numbers_sent_as_text_are_cast_where_numbers_are_documented() -> None:
    given = cluster(swap="5", reputation=" 1.5 ", regionId="7", zone="8")
    given["nodes"]["nodeData"][0]["gpus"]["gpus"][0]["memory"] = "16384"

    accepted = accept_new(given, rules=DEFAULT).document

    assert (accepted["swap"], accepted["reputation"]) == (5, 1.5)
    assert (accepted["regionId"], accepted["zone"]) == ("7", "8")
    assert accepted["nodes"]["nodeData"][0]["gpus"]["gpus"][0]["memory"] == 16384


@pytest.mark.parametrize(
    ("wrong", "at", "problem"),
    [
        ({"memory": "lots"}, "/memory", 'memory is "lots"; expected a number of at least 0 (total memory in MB)'),
        ({"memory": ""}, "/memory", 'memory is ""; expected a number of at least 0 (total memory in MB)'),
        ({"memory": True}, "/memory", "memory is true; expected a number of at least 0 (total memory in MB)"),
        ({"memory": -1}, "/memory", "memory is -1; expected a number of at least 0 (total memory in MB)"),
        ({"memory": "-1"}, "/memory", "memory is -1; expected a number of at least 0 (total memory in MB)"),
        ({"memory": [5]}, "/memory", "memory is an array; expected a number of at least 0 (total memory in MB)"),
        ({"reputation": {}}, "/reputation", "reputation is an object; expected a number (reputation score)"),
        ({"status": 5}, "/status", "status is 5; expected text (status of the cluster)"),
        ({"tags": "gpu"}, "/tags", 'tags is "gpu"; expected an array of texts (user-defined tags or labels)'),
        ({"tags": ["gpu", 1]}, "/tags/1", "tags.1 is 1; expected text"),
        ({"tags": [None]}, "/tags/0", "tags.0 is null; expected text"),
        ({"nodes": 5}, "/nodes", "nodes is 5; expected an object (the nodes of the cluster)"),
        (
            {"nodes": {"nodeData": 5}},
            "/nodes/nodeData",
            "nodes.nodeData is 5; expected an array of objects (the nodes)",
        ),
        ({"nodes": {"nodeData": [7]}}, "/nodes/nodeData/0", "nodes.nodeData.0 is 7; expected an object"),
    ],
)
@pytest.mark.parametrize("rules", [DEFAULT, LENIENT])
def test_a_value_of_the_wrong_type_is_refused_in_every_mode(
    wrong: dict[str, Any], at: str, problem: str, rules: SchemaRules
) -> None:
    assert problems({**EXAMPLE, **wrong}, rules) == {at: problem}


@pytest.mark.parametrize("flag", ["true", "yes", 1, 0, "", []])
def test_only_true_and_false_are_flags_in_a_document(flag: Any) -> None:
    assert list(problems(cluster(config={"publicHostname": "h", "useGateway": flag}))) == ["/config/useGateway"]


@pytest.mark.parametrize("number", [0, 0.0, 0.5, 2**53 + 1])
def test_a_capacity_is_zero_or_more(number: float) -> None:
    assert accept_new(cluster(swap=number), rules=DEFAULT).document["swap"] == number


@pytest.mark.parametrize("reputation", [-1, -0.5, 4.5])
def test_reputation_may_be_negative_and_fractional(reputation: float) -> None:
    assert accept_new(cluster(reputation=reputation), rules=DEFAULT).document["reputation"] == reputation


def test_every_problem_is_listed_down_to_the_leaves_that_are_missing() -> None:
    given = cluster("west", {"id": "", "gpus": {"count": "many"}, "vcpus": {"count": 1}, "memory": 1}, tags=[1])
    given["regionId"] = 5
    del given["clusterMetadata"]
    given["config"] = {"publicHostname": ""}

    assert list(problems(given)) == [
        "/regionId",
        "/nodes/nodeData/0/id",
        "/nodes/nodeData/0/gpus/count",
        "/nodes/nodeData/0/gpus/memory",
        "/nodes/nodeData/0/swap",
        "/nodes/nodeData/0/storage/disks",
        "/nodes/nodeData/0/storage/size",
        "/nodes/nodeData/0/network/interfaces",
        "/nodes/nodeData/0/network/txBandwidth",
        "/nodes/nodeData/0/network/rxBandwidth",
        "/gpus/count",
        "/gpus/memory",
        "/swap",
        "/storage/disks",
        "/storage/size",
        "/network/interfaces",
        "/network/txBandwidth",
        "/network/rxBandwidth",
        "/config/publicHostname",
        "/tags/0",
        "/clusterMetadata/name",
        "/clusterMetadata/description",
        "/clusterMetadata/owner",
    ]


def test_the_message_of_a_refusal_says_the_first_problem_and_how_many_follow() -> None:
    with pytest.raises(DocumentInvalid) as refused:
        accept_new(cluster(memory="lots", swap=True, tags=5), rules=DEFAULT)

    assert refused.value.at == "/memory"
    assert refused.value.message.startswith('memory is "lots"; expected a number')
    assert refused.value.message.endswith(" (and 2 more)")


def test_a_long_list_of_problems_ends_somewhere_and_says_so() -> None:
    with pytest.raises(DocumentInvalid) as refused:
        accept_new(cluster(tags=[1] * (PROBLEMS_LISTED_MAX + 1)), rules=DEFAULT)

    assert len(refused.value.problems) == PROBLEMS_LISTED_MAX + 1
    assert refused.value.problems[-1].at == ""


def test_a_list_of_more_nodes_than_any_cluster_has_is_refused_at_once() -> None:
    most = DEFAULT_LIMITS.nodes_max

    assert list(problems({"id": "x", "nodes": {"nodeData": [{}] * (most + 1)}}, LENIENT)) == ["/nodes/nodeData"]
    assert accept_new({"id": "x", "nodes": {"nodeData": [{}] * most}}, rules=LENIENT)


def test_lenient_rules_ask_only_for_an_id() -> None:
    sparse = {"id": "old", "nodes": {"count": 5, "nodeData": [{"nodeId": "n-1", "status": "active"}]}, "gpus": {}}

    accepted = accept_new(sparse, rules=LENIENT).document

    assert accepted["nodes"] == sparse["nodes"]
    assert accepted["gpus"] == {}
    assert (accepted["status"], accepted["tags"], accepted["clusterMetadata"]) == ("registered", [], {})
    assert accepted["config"] == {"policyExecutorId": "", "policyExecutionMode": "local", "useGateway": True}
    assert list(problems({}, LENIENT)) == ["/id"]


@pytest.mark.parametrize("id", [None, 5, ["west"]])
def test_an_id_is_text(id: Any) -> None:
    assert list(problems(cluster(id="x") | {"id": id})) == ["/id"]


def test_an_id_that_clients_could_not_address_is_refused_with_all_other_problems() -> None:
    with pytest.raises(IdRefused) as refused:
        accept_new(cluster(swap=-1) | {"id": "a b"}, rules=DEFAULT)

    assert [problem.at for problem in refused.value.problems] == ["/id", "/swap"]


def test_any_one_element_array_in_the_url_map_stands_for_its_element() -> None:
    urls = {"publicGateway": ["http://h:1"], "membershipServer": [["http://h:2"]], "others": ["a", "b"], "none": []}
    given = cluster(config={"publicHostname": "h", "urlMap": urls})

    accepted = accept_new(given, rules=DEFAULT).document

    assert (
        accepted["config"]["urlMap"]
        | {
            "publicGateway": "http://h:1",
            "membershipServer": "http://h:2",
            "others": ["a", "b"],
            "none": [],
        }
        == accepted["config"]["urlMap"]
    )
    assert accept_new(accepted, rules=DEFAULT).document is accepted


def test_unknown_fields_are_kept_and_named_once_each() -> None:
    given = cluster("west", node("a") | {"labels": ["x"]}, node("b") | {"labels": ["y"]}, zone="b", __v=0)
    given["config"]["os"] = "Linux"
    given["gpus"] = {"modelNames": ["NVIDIA A100"]}
    given["clusterMetadata"]["vendor"] = "v"

    accepted = accept_new(given, rules=DEFAULT)

    assert accepted.warnings == (
        "fields that no schema documents are kept as they are: "
        "zone, __v, nodes.nodeData.labels, gpus.modelNames and 2 more",
    )
    assert accepted.document["nodes"]["nodeData"][1]["labels"] == ["y"]
    assert accept_new(given, rules=DEFAULT.with_unknown_fields("ignore")).warnings == ()
    assert list(problems(given, STRICT)) == [
        "/zone",
        "/__v",
        "/nodes/nodeData/0/labels",
        "/nodes/nodeData/1/labels",
        "/gpus/modelNames",
        "/config/os",
        "/clusterMetadata/vendor",
    ]


def test_two_nodes_of_one_id_are_a_warning() -> None:
    accepted = accept_new(cluster("west", node("a"), node("b"), node("a")), rules=DEFAULT)

    assert accepted.warnings == ('more than one node in nodes.nodeData has the id "a"',)


def test_the_models_of_a_cluster_are_not_added() -> None:
    assert "modelNames" not in accept_new(cluster(), rules=DEFAULT).document["gpus"]
