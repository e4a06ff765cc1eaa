"""The stage $facet: several pipelines over the same documents."""

import pytest

from tests.language.pipelines.running import refused_code, results

DOCUMENTS = [{"n": 1}, {"n": 2}, {"n": 3}]


def test_each_facet_gets_all_documents():
    stage = {"large": [{"$match": {"n": {"$gt": 1}}}], "total": [{"$count": "n"}], "all": []}
    assert results([{"$facet": stage}], DOCUMENTS) == [{"large": DOCUMENTS[1:], "total": [{"n": 3}], "all": DOCUMENTS}]


def test_no_documents_make_one_document_of_empty_facets():
    assert results([{"$facet": {"a": [{"$count": "n"}], "b": []}}], []) == [{"a": [], "b": []}]


def test_what_comes_after_a_facet_sees_its_document():
    stages = [{"$facet": {"a": [{"$limit": 2}]}}, {"$unwind": "$a"}, {"$replaceWith": "$a"}]
    assert results(stages, DOCUMENTS) == DOCUMENTS[:2]


@pytest.mark.parametrize(
    ("stage", "code", "at"),
    [
        (5, 40169, ""),
        ({}, 40169, ""),
        ({"": []}, 15998, "/"),
        ({"$a": []}, 16410, "/$a"),
        ({"a.b": []}, 16412, "/a.b"),
        ({"a": {"$count": "n"}}, 40170, "/a"),
        ({"a": [5]}, 40171, "/a/0"),
        ({"a": [{"$nothing": 1}]}, 40324, "/a/0/$nothing"),
        ({"a": [{"$match": {}}, {"$facet": {"b": []}}]}, 40600, "/a/1"),
        ({"a": [{"$out": "x"}]}, 40600, "/a/0"),
        ({"a": [{"$lookup": {}}]}, 115, "/a/0/$lookup"),
        ({"a": [{"$limit": 0}]}, 15958, "/a/0/$limit"),
    ],
)
def test_a_facet_that_makes_no_sense_is_refused(stage, code, at):
    assert refused_code([{"$facet": stage}]) == (code, f"/0/$facet{at}")
