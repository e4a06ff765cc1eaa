"""What a pipeline may spend: nothing that it is asked for takes more memory or time than a request has."""

from itertools import count, repeat

import pytest

from rollbook.errors import LanguageRefused, WorkExceeded
from rollbook.language.pipelines import parse_pipeline, run_pipeline, stream_pipeline
from rollbook.limits import RequestBudget
from tests.language.pipelines.running import refusal, update_refused_code

DOUBLE = {"$set": {"a": ["$a", "$a"]}}
EMBED = {"$set": {"a": {"a": "$$ROOT"}}}


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ([DOUBLE] * 100, 10334),
        ([EMBED] * 200, 15),
        ([{"$group": {"_id": None, "a": {"$push": "$$ROOT"}}}, *[DOUBLE] * 100], 10334),
        ([{"$set": {f"a{number}": "$$ROOT"}} for number in range(60)], 10334),
        ([{"$project": {"a": ["$a", "$a"]}}, {"$replaceWith": {"a": ["$a", "$a"]}}] * 50, 10334),
    ],
)
def test_a_document_that_doubles_itself_is_refused(stages, code):
    assert refusal(stages, [{"a": "x"}]).mongo_code == code


def test_a_document_that_is_too_large_as_a_whole_is_refused():
    assert refusal([{"$set": {"b": "$a"}}], [{"a": "x" * 9_000_000}]).mongo_code == 10334


@pytest.mark.parametrize("stages", [[DOUBLE] * 100, [EMBED] * 200])
def test_an_update_that_doubles_the_document_is_refused(stages):
    assert update_refused_code({"id": 1, "a": "x"}, stages)[0] in (10334, 15)


def test_deep_paths_through_deep_arrays_do_not_make_what_can_not_be_written():
    deep = 1
    for _ in range(120):
        deep = [deep]
    stages = [{"$set": {".".join("a" * 100): "$b"}}, {"$set": {"b." + ".".join("c" * 150): "$a"}}]
    refused = refusal([{"$set": {"b.x": "$b"}}, *stages] * 3, [{"id": 1, "b": deep}])
    assert isinstance(refused, WorkExceeded)


HELD = [
    [{"$sort": {"n": 1}}],
    [{"$sort": {"n": 1}}, {"$limit": 100_000}],
    [{"$sample": {"size": 100_000}}],
    [{"$group": {"_id": "$n"}}],
    [{"$group": {"_id": None, "all": {"$push": "$text"}}}],
    [{"$group": {"_id": None, "all": {"$addToSet": "$n"}}}],
    [{"$group": {"_id": None, "all": {"$topN": {"sortBy": {"n": 1}, "output": "$text", "n": 100_000}}}}],
    [{"$group": {"_id": None, "all": {"$lastN": {"input": "$text", "n": 100_000}}}}],
    [{"$group": {"_id": None, "all": {"$median": {"input": "$n", "method": "approximate"}}}}],
    [{"$bucketAuto": {"groupBy": "$n", "buckets": 2}}],
    [{"$facet": {"a": [{"$count": "n"}]}}],
    [],
]


@pytest.mark.parametrize("stages", HELD)
def test_what_a_stage_holds_is_counted(stages):
    endless = ({"n": number, "text": "x" * 100} for number in count())
    with pytest.raises(WorkExceeded) as refused:
        run_pipeline(parse_pipeline(stages), endless, work=RequestBudget(bytes_left=100_000))
    assert refused.value.mongo_code == 146


def test_a_sort_with_a_limit_holds_no_more_than_the_limit():
    documents = ({"n": -number} for number in range(5_000))
    top = run_pipeline(
        parse_pipeline([{"$sort": {"n": 1}}, {"$limit": 2}]), documents, work=RequestBudget(bytes_left=500)
    )
    assert [document["n"] for document in top] == [-4999, -4998]


def test_what_is_streamed_is_not_held():
    documents = stream_pipeline(parse_pipeline([]), repeat({"text": "x" * 100}), work=RequestBudget(bytes_left=500))
    for _ in range(1_000):
        assert next(documents)


@pytest.mark.parametrize(
    "stages",
    [
        [{"$match": {"absent": 1}}],
        [{"$count": "n"}],
        [{"$unwind": "$many"}, {"$unwind": "$many2"}, {"$count": "n"}],
        [{"$group": {"_id": None, "n": {"$sum": 1}}}],
        [{"$set": {"a": 1}}, {"$match": {"a": 2}}],
    ],
)
def test_a_run_ends_at_its_deadline(stages):
    clock = count()
    endless = repeat({"many": list(range(100)), "many2": list(range(100))})
    work = RequestBudget(deadline=50, clock=lambda: next(clock))
    with pytest.raises(WorkExceeded) as refused:
        run_pipeline(parse_pipeline(stages), endless, work=work)
    assert refused.value.mongo_code == 50


@pytest.mark.parametrize(
    "stage",
    [
        {"$set": {"x": {"$range": [0, 2**31 - 1]}}},
        {"$match": {"$expr": {"$range": [0, 2**31 - 1]}}},
        {"$group": {"_id": {"$range": [0, 2**31 - 1]}}},
        {"$sortByCount": {"$range": [0, 2**31 - 1]}},
        {"$replaceWith": {"a": {"$range": [0, 2**31 - 1]}}},
    ],
)
def test_expressions_in_stages_are_bounded_too(stage):
    assert isinstance(refusal([stage], [{}]), LanguageRefused)


def test_what_a_group_drops_is_given_back():
    order = {"sortBy": {"n": 1}, "output": "$$ROOT"}
    accumulators = {
        "top": {"$top": order},
        "bottom": {"$bottomN": {**order, "n": 2}},
        "last": {"$lastN": {"input": "$$ROOT", "n": 2}},
        "least": {"$minN": {"input": "$text", "n": 2}},
    }
    documents = [{"n": (number * 7919) % 10_007, "text": "x" * 50} for number in range(10_000)]
    stages = parse_pipeline([{"$group": {"_id": None, **accumulators}}, {"$unset": ["least", "last"]}])
    [group] = run_pipeline(stages, documents, work=RequestBudget(bytes_left=3_000_000))
    assert group["top"]["n"] == 0
    assert [document["n"] for document in group["bottom"]] == sorted(document["n"] for document in documents)[-2:]


@pytest.mark.parametrize("accumulator", ["$first", "$last", "$min", "$max", "$push", "$addToSet"])
def test_what_an_accumulator_makes_is_weighed(accumulator):
    doubled = "$n"
    for _ in range(60):
        doubled = {"$let": {"vars": {"x": doubled}, "in": ["$$x", "$$x"]}}
    refused = refusal([{"$group": {"_id": None, "x": {accumulator: doubled}}}], [{"n": 1}])
    assert isinstance(refused, WorkExceeded)


KEEPING = [
    {"$sample": {"size": 100}},
    {"$sort": {"n": 1}},
    *(
        {"$group": {"_id": None, "x": accumulator}}
        for accumulator in (
            {"$push": "$text"},
            {"$addToSet": "$text"},
            {"$mergeObjects": "$object"},
            {"$firstN": {"input": "$text", "n": 100}},
            {"$lastN": {"input": "$text", "n": 100}},
            {"$minN": {"input": "$text", "n": 100}},
            {"$topN": {"sortBy": {"n": 1}, "output": "$text", "n": 100}},
        )
    ),
    {"$group": {"_id": "$text"}},
    {"$bucketAuto": {"groupBy": "$n", "buckets": 2}},
    {"$bucketAuto": {"groupBy": {"$concat": ["$text", "$text"]}, "buckets": 2}},
    {"$facet": {"a": []}},
]


@pytest.mark.parametrize("stage", KEEPING)
def test_what_is_kept_is_counted_as_it_comes(stage):
    taken = []

    def documents():
        for number in count():
            taken.append(number)
            yield {"n": number, "text": f"{number:01000}", "object": {str(number): "x" * 1000}}

    with pytest.raises(WorkExceeded):
        run_pipeline(parse_pipeline([stage]), documents(), work=RequestBudget(bytes_left=50_000))
    assert len(taken) <= 50


LONG = {"$reduce": {"input": {"$range": [0, 10**5]}, "initialValue": 0, "in": {"$add": ["$$value", "$n"]}}}


@pytest.mark.parametrize(
    "stage",
    [
        {"$match": {"$expr": LONG}},
        {"$redact": {"$cond": [LONG, "$$KEEP", "$$PRUNE"]}},
        {"$set": {"x": LONG}},
        {"$project": {"x": LONG}},
        {"$replaceWith": {"x": LONG}},
        {"$group": {"_id": LONG}},
        {"$group": {"_id": None, "x": {"$sum": LONG}}},
        {"$group": {"_id": None, "x": {"$median": {"input": LONG, "method": "approximate"}}}},
        {"$group": {"_id": None, "x": {"$firstN": {"input": LONG, "n": 1}}}},
        {"$group": {"_id": None, "x": {"$top": {"sortBy": {"n": 1}, "output": LONG}}}},
        {"$sortByCount": LONG},
        {"$bucket": {"groupBy": LONG, "boundaries": [0, 1]}},
        {"$bucketAuto": {"groupBy": LONG, "buckets": 1}},
        {"$facet": {"a": [{"$set": {"x": LONG}}]}},
    ],
)
def test_the_expressions_of_a_stage_end_with_the_run(stage):
    clock = count()
    assert refusal([stage], [{"n": 1}], work=RequestBudget(deadline=50, clock=lambda: next(clock))).mongo_code == 50


def test_constants_of_a_stage_are_computed_within_the_time_of_the_run():
    clock = count()
    work = RequestBudget(deadline=50, clock=lambda: next(clock))
    number = {"$reduce": {"input": {"$range": [0, 10**6]}, "initialValue": 0, "in": {"$add": ["$$value", 1]}}}
    assert refusal([{"$bucket": {"groupBy": "$n", "boundaries": [0, number]}}], work=work).mongo_code == 50
