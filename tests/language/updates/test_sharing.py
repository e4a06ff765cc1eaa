import pytest

from rollbook.language.updates import compile_update, parse_update
from tests.language.updates.applying import updated


def big_document(nodes: int):
    return {
        "id": "x",
        "nodes": {
            "nodeData": [{"id": f"node-{i}", "gpus": {"count": i, "features": ["a", "b"]}} for i in range(nodes)]
        },
        "config": {"urlMap": {"controller": "http://x"}},
    }


def test_only_the_containers_on_the_way_are_copied():
    document = big_document(3)
    after = updated(document, {"$inc": {"nodes.nodeData.1.gpus.count": 1}})
    nodes, changed = document["nodes"]["nodeData"], after["nodes"]["nodeData"]
    assert after["config"] is document["config"]
    assert [one is other for one, other in zip(nodes, changed, strict=True)] == [True, False, True]
    assert changed[1]["gpus"]["features"] is nodes[1]["gpus"]["features"]


def test_elements_that_an_update_leaves_as_they_are_are_shared():
    document = {"a": [{"n": 1}, {"n": 9}, {"n": 2}]}
    after = updated(document, {"$max": {"a.$[].n": 5}})
    assert after == {"a": [{"n": 5}, {"n": 9}, {"n": 5}]}
    assert after["a"][1] is document["a"][1]


def test_the_very_same_document_comes_back_when_nothing_changes():
    document = big_document(3)
    for update in (
        {"$set": {"config.urlMap": {"controller": "http://x"}}},
        {"$set": {"nodes.nodeData.1.gpus": {"count": 1, "features": ["a", "b"]}}},
        {"$push": {"nodes.nodeData": {"$each": [], "$sort": {"gpus.count": 1}, "$slice": 100}}},
        {"$addToSet": {"nodes.nodeData.0.gpus.features": {"$each": ["b", "a"]}}},
        {"$pull": {"nodes.nodeData": {"id": "other"}}},
        {"$inc": {"nodes.nodeData.$[].gpus.count": 0}},
    ):
        assert updated(document, update) is document


def test_a_value_of_another_type_or_order_is_a_change():
    assert repr(updated({"a": 5}, {"$set": {"a": 5.0}})) == "{'a': 5.0}"
    assert repr(updated({"a": 0.0}, {"$set": {"a": -0.0}})) == "{'a': -0.0}"
    assert repr(updated({"a": {"x": 1, "y": 2}}, {"$set": {"a": {"y": 2, "x": 1}}})) == "{'a': {'y': 2, 'x': 1}}"
    assert repr(updated({"a": 1}, {"$set": {"a": True}})) == "{'a': True}"


def containers_of(value):
    if isinstance(value, dict | list):
        yield id(value)
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers_of(inner)


@pytest.mark.parametrize(
    ("update", "new_containers"),
    [
        ({"$inc": {"nodes.nodeData.2500.gpus.count": 1}}, 5),  # document, nodes, nodeData, node, gpus
        ({"$pull": {"nodes.nodeData": {"id": "node-7"}}}, 3),
        ({"$set": {"config.urlMap.controller": "http://y"}}, 3),
        ({"$push": {"nodes.nodeData": {"id": "new"}}}, 4),
    ],
)
def test_a_change_in_a_large_document_makes_only_the_containers_it_touches(update, new_containers):
    document = big_document(5000)
    after = compile_update(parse_update(update))(document)
    assert len(set(containers_of(after)) - set(containers_of(document))) == new_containers
