"""What the indexes answer by themselves, and where they only narrow: each row is one law of MongoDB.

Documents are numbered from 0. ``certain`` match without being looked at, ``looked_at`` are decided by the predicate.
"""

from typing import Any

import pytest

from rollbook.language.filters import compile_filter, parse_filter
from rollbook.limits import Limits
from rollbook.view.index.indexes import Index
from rollbook.view.index.ranges import make_column
from rollbook.view.index.trees import nodes_below
from rollbook.view.planning.planning import answer

LONG, OTHER_LONG = "a" * 200, "b" * 200

BOTH = {"nodes.nodeData": {"$elemMatch": {"a": 1, "b": 2}}}


def nodes(*elements: Any) -> dict[str, Any]:
    return {"nodes": {"nodeData": list(elements)}}


ROWS: list[tuple[str, list[Any], Any, list[int], list[int]]] = [
    ("equal numbers are one value", [{"a": 5}, {"a": 5.0}, {"a": "5"}, {"a": [4, 5]}], {"a": 5}, [0, 1, 3], []),
    ("true is not 1", [{"a": True}, {"a": 1}, {"a": [True]}], {"a": 1}, [1], []),
    ("null is missing too", [{"a": None}, {}, {"a": 1}, {"a": []}], {"a": None}, [0, 1], []),
    ("not null is there", [{"a": None}, {}, {"a": 1}, {"a": []}], {"a": {"$ne": None}}, [2, 3], []),
    (
        "an array hides a missing value",
        [{"a": [{"b": 1}, {}]}, {"a": [{"b": 1}]}, {"a": 1}],
        {"a.b": None},
        [2],
        [0, 1],
    ),
    ("a null in an array shows", [{"a": [{"b": None}]}, {"a": {"b": 2}}], {"a.b": None}, [0], []),
    ("no element has the value", [{"a": [1, 2]}, {"a": [3]}, {}], {"a": {"$ne": 1}}, [1, 2], []),
    ("an element is not stepped into twice", [{"a": [[1]]}, {"a": [1]}], {"a": 1}, [1], []),
    ("objects are looked at", [{"a": {"b": 1}}, {"a": {"b": 2}}, {"a": 1}], {"a": {"b": 1}}, [], [0]),
    ("arrays are looked at", [{"a": [1, 2]}, {"a": [2]}, {"a": [[1, 2]]}], {"a": [1, 2]}, [], [0, 2]),
    ("an empty array has a mark", [{"a": []}, {"a": [[]]}, {"a": [1]}, {}], {"a": []}, [0, 1], []),
    ("sizes have marks", [{"a": [1, 2]}, {"a": [[1, 2]]}, {"a": 2}], {"a": {"$size": 2}}, [0], []),
    ("long strings are looked at", [{"a": LONG}, {"a": OTHER_LONG}, {"a": "a"}], {"a": LONG}, [], [0]),
    ("ranges too", [{"a": LONG}, {"a": "b"}, {"a": "0"}, {"a": 9}], {"a": {"$gt": "a"}}, [1], [0]),
    ("ranges stay in their type", [{"a": 3}, {"a": "3"}, {"a": [1, 9]}, {"a": True}], {"a": {"$gte": 3}}, [0, 2], []),
    ("bounds beyond float64", [{"a": 2**53}, {"a": 2**53 + 1}, {"a": 2**53 + 2}], {"a": {"$gt": 2**53}}, [1, 2], []),
    ("a prefix", [{"a": "xy"}, {"a": "x"}, {"a": "y"}, {"a": ["q", "xz"]}], {"a": {"$regex": "^x"}}, [0, 1, 3], []),
    ("an optional end", [{"a": "xz"}, {"a": "x"}, {"a": "y"}], {"a": {"$regex": "^xy?"}}, [0, 1], []),
    ("an alternative start", [{"a": "xz"}, {"a": "az"}, {"a": "y"}], {"a": {"$regex": "^x|az"}}, [0, 1], []),
    ("a part", [{"a": "axb"}, {"a": "x"}, {"a": "b\0"}], {"a": {"$regex": "x"}}, [0, 1], []),
    ("a part beside NUL", [{"a": "x\0y"}, {"a": "y"}, {"a": "z"}], {"a": {"$regex": "x.y"}}, [0], []),
    ("a position", [{"a": [7, 8]}, {"a": [8, 7]}, {"a": {"0": 7}}, {"a": 7}], {"a.0": 7}, [], [0, 1, 2, 3]),
    ("types with marks", [{"a": {}}, {"a": []}, {"a": [{}]}], {"a": {"$type": "object"}}, [0, 2], []),
    ("types of keys", [{"a": 1}, {"a": "1"}, {}], {"a": {"$type": "string"}}, [], [0, 1]),
    ("one node has both", [nodes({"a": 1, "b": 2}), nodes({"a": 1}, {"b": 2})], BOTH, [0], []),
    ("nested nodes are looked at", [nodes([{"a": 1, "b": 2}]), nodes({"a": 1})], BOTH, [], [0]),
    ("nodes in arrays are looked at", [{"nodes": [{"nodeData": [{"a": 1, "b": 2}]}]}, nodes({"a": 1})], BOTH, [], [0]),
    ("an array for a node", [nodes({"a": [1, 3], "b": 2}), nodes({"a": 2})], BOTH, [0], []),
    (
        "a node's own id is looked at",
        [nodes({"id": "n"}, {"a": 1}), nodes({"id": "n", "a": 1}), nodes({"id": "m"})],
        {"nodes.nodeData": {"$elemMatch": {"id": "n", "a": 1}}},
        [],
        [0, 1],
    ),
    (
        "no such node",
        [nodes({"a": 1}), nodes({"a": 2}), nodes(), {}],
        {"nodes.nodeData": {"$not": {"$elemMatch": {"a": 1}}}},
        [1, 2, 3],
        [],
    ),
    (
        "a node without",
        [nodes({"a": 1}), nodes({"a": 1}, {"b": 1})],
        {"nodes.nodeData": {"$elemMatch": {"a": {"$exists": False}}}},
        [1],
        [],
    ),
    (
        "elements of other arrays are looked at",
        [{"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}, {"c": 2}]}, {"a": [{"b": 1}]}],
        {"a": {"$elemMatch": {"b": 1, "c": 2}}},
        [],
        [0, 1],
    ),
    ("one condition on scalars", [{"a": [1, 5]}, {"a": 5}, {"a": [2]}], {"a": {"$elemMatch": {"$gt": 4}}}, [0], []),
    (
        "scalars across arrays",
        [{"b": [{"a": 5}, {"a": [0]}]}, {"b": {"a": [5]}}],
        {"b.a": {"$elemMatch": {"$gt": 4}}},
        [1],
        [0],
    ),
    (
        "two conditions on scalars",
        [{"a": [1, 5]}, {"a": [3]}, {"a": [1]}],
        {"a": {"$elemMatch": {"$gt": 2, "$lt": 4}}},
        [],
        [0, 1],
    ),
    ("an expression is looked at", [{"a": 1}, {"a": 2}], {"$expr": {"$eq": ["$a", 1]}, "a": {"$lt": 2}}, [], [0]),
    ("what the registry adds is looked at", [{"a": 1}, {}], {"_registry.revision": 1}, [], [0, 1]),
    ("nothing is looked at for nothing", [{"a": 1}], {"zzz": 1, "$expr": {"$eq": ["$a", 1]}}, [], []),
]


@pytest.mark.parametrize("with_columns", [False, True], ids=["keys", "columns"])
@pytest.mark.parametrize(
    ("documents", "json", "certain", "looked_at"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_indexes_know(
    documents: list[Any], json: Any, certain: list[int], looked_at: list[int], with_columns: bool
) -> None:
    index = Index()
    for number, document in enumerate(documents):
        index.insert(number, document)
    if with_columns and (node := index.root.children.get("a")) is not None:
        make_column(node, index.size)
    filter = parse_filter(json)
    found = answer(filter, index)
    assert list(found.certain) == certain
    assert list(found.possible - found.certain) == looked_at
    predicate = compile_filter(filter)
    matching = {number for number, document in enumerate(documents) if predicate(document)}
    assert set(certain) <= matching <= {*certain, *looked_at}


def test_what_the_bounds_keep_out_is_looked_at() -> None:
    index = Index(limits=Limits(indexed_members_max=2))
    for number, document in enumerate([{"a": 1}, {"b": 1}, {"b": 2}]):
        index.insert(number, document)
    assert list(answer(parse_filter({"b": 1}), index).possible) == [0, 1, 2]
    assert list(answer(parse_filter({"a": 1}), index).certain) == [0]


BROAD = [{"a": {"b": 1, "c": 2}, "d": [1, [2], {"e": 3}]}, {"a": [{"b": 1}, {"b": 2}, {"b": 3}]}, {"d": [1]}]


@pytest.mark.parametrize(
    ("json", "certain", "looked_at"),
    [
        ({"a.b": 1}, [0], [1]),
        ({"a.b": {"$gt": 5}}, [], [1]),
        ({"a.b": {"$ne": 1}}, [2], [1]),
        ({"a.zzz": 1}, [], [1]),
        ({"a.zzz": None}, [0, 2], [1]),
        ({"a": {"$elemMatch": {"b": 2}}}, [], [1]),
        ({"d": 1}, [2], [0]),
        ({"d": {"$size": 3}}, [], [0]),
        ({"d.e": 3}, [], [0]),
        ({"d.1": 3}, [], [0]),
        ({"a.c": 2}, [0], [1]),
    ],
)
def test_an_array_with_many_values_is_looked_at_and_costs_other_paths_nothing(
    json: Any, certain: list[int], looked_at: list[int]
) -> None:
    index = Index(limits=Limits(indexed_array_values_max=4))
    for number, document in enumerate(BROAD):
        index.insert(number, document)
    found = answer(parse_filter(json), index)
    assert (list(found.certain), list(found.possible - found.certain)) == (certain, looked_at)


def test_what_a_large_array_costs_the_index_is_bounded() -> None:
    index, numbers = Index(), list(range(900_000))
    index.insert(0, {"id": "west", "integers": numbers, "objects": [{"a": n} for n in range(100_000)]})
    assert {node.path: len(node.postings) for node in nodes_below(index.root)} == {
        (): 0,
        ("nodes",): 0,
        ("nodes", "nodeData"): 0,
        ("nodes", "nodeData", "id"): 0,
        ("id",): 2,
        ("integers",): 4,
        ("objects",): 4,
    }
    index.update(0, {"id": "west", "integers": numbers}, {"id": "west"})
    assert not answer(parse_filter({"integers": {"$exists": True}}), index).possible


def test_the_nodes_of_a_cluster_are_indexed_however_many_there_are() -> None:
    index = Index(limits=Limits(indexed_array_values_max=1))
    index.insert(0, nodes({"a": 1, "b": 2}, {"a": 2, "b": 1}))
    index.insert(1, nodes({"a": 1, "b": 1}, {"a": 2, "b": 2}))
    assert list(answer(parse_filter(BOTH), index).certain) == [0]
    assert list(answer(parse_filter({"nodes.nodeData.a": 2}), index).certain) == [0, 1]
