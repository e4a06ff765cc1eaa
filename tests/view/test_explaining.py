"""An explanation says in words what the planner does."""

from typing import Any

from rollbook.language.filters import parse_filter
from rollbook.view.index.indexes import Index
from rollbook.view.planning.explaining import Explanation, explain

DOCUMENTS = [
    {"status": "live", "gpus": {"count": 8}, "tags": ["a", "b"]},
    {"status": "live", "gpus": {"count": 2}, "tags": ["b"]},
    {"status": "down", "gpus": {"count": 8}, "tags": []},
]


def explained(json: Any) -> Explanation:
    index = Index()
    for number, document in enumerate(DOCUMENTS):
        index.insert(number, document)
    return explain(parse_filter(json), index)


def test_an_exact_clause_says_how_many_match() -> None:
    assert explained({"status": "live"}).lines() == ['status $eq "live": the indexes answer it: 2 of 3 documents match']


def test_each_clause_is_explained_by_itself() -> None:
    assert explained({"status": "live", "gpus.count": {"$gt": 4}}).lines() == [
        "all of 2 clauses: the indexes answer it: 1 of 3 documents match",
        '  status $eq "live": the indexes answer it: 2 of 3 documents match',
        "  gpus.count $gt 4: the indexes answer it: 2 of 3 documents match",
    ]


def test_what_is_looked_at_is_counted() -> None:
    assert explained({"tags": ["b"]}).lines() == [
        'tags $eq ["b"]: the indexes narrow it: 0 of 3 documents match for certain, 2 are looked at one by one'
    ]


def test_a_scan_says_why() -> None:
    assert explained({"$expr": True}).how.startswith("no index knows what an expression gives: ")
    assert explained({"$jsonSchema": {}}).how.startswith("no index knows what a schema asks: ")
    assert explained({"tags.0": None}).how.startswith("the path names an element by its position")
    assert explained({"_registry.revision": 3}).how.startswith("the path is not indexed: ")


def test_as_json_it_has_the_same_facts() -> None:
    told = explained({"$nor": [{"tags": ["b"]}]}).as_json()
    assert told["candidates"] == 3
    assert told["certain"] == 1
    assert told["exact"] is False
    assert told["parts"] == [
        {
            "clause": 'tags $eq ["b"]',
            "candidates": 2,
            "certain": 0,
            "exact": False,
            "how": "the indexes narrow it: 0 of 3 documents match for certain, 2 are looked at one by one",
        }
    ]


def test_long_operands_are_cut_short() -> None:
    assert len(explained({"status": {"$in": ["x" * 1000]}}).clause) < 100
