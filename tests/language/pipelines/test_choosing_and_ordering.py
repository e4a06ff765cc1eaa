"""Stages that choose documents, order and count them: $match $sample $redact $sort $limit $skip."""

import math
from collections import Counter

import pytest

from rollbook.language.pipelines import parse_pipeline, run_pipeline
from rollbook.limits import RequestBudget
from tests.language.pipelines.running import refused_code, results

NUMBERS = [{"n": 3}, {"n": 1}, {"n": 2}, {"n": 1, "second": True}, {}]


def test_match_passes_on_what_matches():
    assert results([{"$match": {"n": {"$gte": 2}}}], NUMBERS) == [{"n": 3}, {"n": 2}]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([{"$sort": {"n": 1}}], [{}, {"n": 1}, {"n": 1, "second": True}, {"n": 2}, {"n": 3}]),
        ([{"$sort": {"n": -1}}], [{"n": 3}, {"n": 2}, {"n": 1}, {"n": 1, "second": True}, {}]),
        ([{"$sort": {"n": 1, "second": -1}}, {"$limit": 2}], [{}, {"n": 1, "second": True}]),
        ([{"$sort": {"n": 1}}, {"$skip": 1}, {"$limit": 2}], [{"n": 1}, {"n": 1, "second": True}]),
        ([{"$sort": {"n": 1}}, {"$skip": 1}, {"$skip": 2}, {"$limit": 9}, {"$limit": 1}], [{"n": 2}]),
        ([{"$sort": {"n": 1}}, {"$match": {"n": 3}}, {"$limit": 1}], [{"n": 3}]),
        ([{"$limit": 2}], [{"n": 3}, {"n": 1}]),
        ([{"$limit": 2.0}, {"$skip": 1}], [{"n": 1}]),
        ([{"$skip": 0}, {"$limit": 1}], [{"n": 3}]),
        ([{"$skip": 9}], []),
        ([{"$limit": 2**63 - 1}, {"$skip": 4}], [{}]),
    ],
)
def test_documents_are_ordered_limited_and_skipped(stages, expected):
    assert results(stages, NUMBERS) == expected


def test_a_limit_takes_no_more_documents_than_it_lets_through():
    taken = []

    def documents():
        for number in range(1000):
            taken.append(number)
            yield {"n": number}

    pipeline = [{"$match": {"n": {"$gte": 2}}}, {"$set": {"m": 1}}, {"$limit": 3}]
    passed = run_pipeline(parse_pipeline(pipeline), documents(), work=RequestBudget())
    assert [document["n"] for document in passed] == [2, 3, 4]
    assert taken == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"$limit": 0}, 15958),
        ({"$limit": -0.0}, 15958),
        ({"$limit": -1}, 5107201),
        ({"$limit": 1.5}, 5107201),
        ({"$limit": "1"}, 5107201),
        ({"$limit": True}, 5107201),
        ({"$limit": None}, 5107201),
        ({"$limit": 2.0**63}, 5107201),
        ({"$skip": -1}, 5107200),
        ({"$skip": 0.5}, 5107200),
        ({"$skip": {}}, 5107200),
        ({"$sort": 5}, 15973),
        ({"$sort": {}}, 15976),
        ({"$sort": {"a": "asc"}}, 15974),
        ({"$sort": {"a": 2}}, 15975),
        ({"$sort": {"": 1}}, 40352),
        ({"$sort": {"$a": 1}}, 16410),
        ({"$sort": {f"a{number}": 1 for number in range(33)}}, 13103),
        ({"$sample": 5}, 28745),
        ({"$sample": {"size": "5"}}, 28746),
        ({"$sample": {"size": "5", "more": 1}}, 28746),
        ({"$sample": {"size": 0.9}}, 28747),
        ({"$sample": {"size": math.nan}}, 28747),
        ({"$sample": {"size": -1, "more": 1}}, 28748),
        ({"$sample": {}}, 28749),
    ],
)
def test_a_number_or_an_order_that_is_none_is_refused(stage, code):
    assert refused_code([stage])[0] == code


def test_a_sample_has_the_size_that_is_asked_for_and_no_document_twice():
    documents = [{"n": number} for number in range(20)]
    for seed in range(20):
        sample = results([{"$sample": {"size": 5.9}}], documents, seed=seed)
        assert len({document["n"] for document in sample}) == 5
    assert len(results([{"$sample": {"size": 50}}], documents)) == 20
    assert len(results([{"$sample": {"size": 1}}], documents)) == 1


def test_a_seed_chooses_the_sample():
    documents = [{"n": number} for number in range(20)]
    stage = {"$sample": {"size": 5}}
    assert results([stage], documents, seed=7) == results([stage], documents, seed=7)
    assert results([stage], documents, seed=7) != results([stage], documents, seed=8)


def test_each_document_is_as_likely_to_be_in_a_sample_as_any_other():
    documents = [{"n": number} for number in range(5)]
    counts = Counter(
        document["n"] for seed in range(500) for document in results([{"$sample": {"size": 2}}], documents, seed=seed)
    )
    assert all(140 <= counts[number] <= 260 for number in range(5))  # 200 expected, 11 the standard deviation


SECRET = {"$cond": [{"$eq": ["$secret", True]}, "$$PRUNE", "$$DESCEND"]}


@pytest.mark.parametrize(
    ("expression", "document", "expected"),
    [
        ("$$KEEP", {"a": {"secret": True}}, [{"a": {"secret": True}}]),
        ("$$PRUNE", {"a": 1}, []),
        (SECRET, {"a": 1, "b": {"c": 2, "d": {"secret": True}}}, [{"a": 1, "b": {"c": 2}}]),
        (SECRET, {"a": [1, [2], {"secret": True}, {"c": 3}]}, [{"a": [1, [2], {"c": 3}]}]),
        (SECRET, {"a": [[{"secret": True}, {"c": 1}]]}, [{"a": [[{"c": 1}]]}]),
        (SECRET, {"secret": True, "a": 1}, []),
        (
            {"$cond": [{"$eq": ["$level", "$$ROOT.level"]}, "$$DESCEND", "$$PRUNE"]},
            {"level": 1, "a": {"level": 1, "x": 1}, "b": {"level": 2}},
            [{"level": 1, "a": {"level": 1, "x": 1}}],
        ),
        (
            {"$cond": [{"$eq": ["$level", "$$ROOT.level"]}, "$$DESCEND", "$$PRUNE"]},
            {"level": 1, "a": [{"level": 1}, {"level": 2}, [{"level": 1}]]},
            [{"level": 1, "a": [{"level": 1}, [{"level": 1}]]}],
        ),
    ],
)
def test_redact_decides_at_each_level(expression, document, expected):
    assert results([{"$redact": expression}], [document]) == expected


@pytest.mark.parametrize(
    ("stage", "code"),
    [({"$redact": "$a"}, 17053), ({"$redact": "keep"}, 17053), ({"$match": {"$expr": "$$KEEP"}}, 17276)],
)
def test_redact_has_three_decisions_which_no_other_stage_knows(stage, code):
    assert refused_code([stage], [{"a": "keep"}])[0] == code
