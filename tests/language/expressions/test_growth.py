"""What no request may make: values larger or deeper than a document, more of them than its memory, forever."""

from typing import Any

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.expressions import compile_expression, parse_expression, scope_of
from rollbook.limits import DEFAULT_LIMITS, RequestBudget

MEBI = 1024 * 1024
TOO_LARGE, TOO_DEEP, TOO_MUCH, TOO_LATE = 10334, 15, 146, 50


def doubling(times: int, first: Any, twice: Any) -> Any:
    return {"$reduce": {"input": {"$range": [0, times]}, "initialValue": first, "in": twice}}


def refusal(expression: Any, document: Any = None, work: RequestBudget | None = None) -> int | None:
    evaluate = compile_expression(parse_expression(expression), work=work)
    with pytest.raises(WorkExceeded) as refused:
        evaluate(scope_of(document or {}))
    return refused.value.mongo_code


TEXT: dict[str, Any] = {"text": "x" * (DEFAULT_LIMITS.value_bytes_max // 2), "n": DEFAULT_LIMITS.value_bytes_max}


@pytest.mark.parametrize(
    "expression",
    [
        {"$concat": ["$text", "$text", "!"]},
        {"$replaceAll": {"input": "$text", "find": "x", "replacement": "xxx"}},
        {"$replaceAll": {"input": "$text", "find": "", "replacement": "x!"}},
        {"$split": ["$text", "x"]},
        {"$range": [0, "$n"]},
        {"$regexFindAll": {"input": {"$substrCP": ["$text", 0, 50_000]}, "regex": "()" * 100 + "x"}},
        {"$zip": {"inputs": [{"$range": [0, 600_000]}, {"$range": [0, 600_000]}]}},
        doubling(64, "x", {"$concat": ["$$value", "$$value"]}),
        doubling(64, [1], {"$concatArrays": ["$$value", "$$value"]}),
        doubling(64, "x", {"$replaceAll": {"input": "$$value", "find": "x", "replacement": "xx"}}),
    ],
)
def test_a_value_larger_than_a_document_is_not_made(expression: Any) -> None:
    assert refusal(expression, TEXT) == TOO_LARGE


def test_what_replaces_one_place_counts_once() -> None:
    once = {"$replaceOne": {"input": "$text", "find": "x", "replacement": "xxx"}}
    evaluate = compile_expression(parse_expression({"$strLenCP": once}))

    assert evaluate(scope_of(TEXT)) == len(TEXT["text"]) + 2


HUGE = doubling(64, [1, "$now"], ["$$value", "$$value"])


@pytest.mark.parametrize(
    "expression",
    [
        {"$in": [HUGE, [[1]]]},
        {"$indexOfArray": [[HUGE], [1]]},
        {"$setUnion": [HUGE, [1]]},
        {"$setEquals": [HUGE, [1]]},
        {"$setIsSubset": [[1], HUGE]},
        {"$sortArray": {"input": HUGE, "sortBy": 1}},
        {"$sortArray": {"input": [{"a": HUGE}, {"a": 1}], "sortBy": {"a": 1}}},
        {"$maxN": {"n": 1, "input": HUGE}},
    ],
)
def test_a_value_that_holds_itself_too_often_is_not_walked(expression: Any) -> None:
    assert refusal(expression) == TOO_LARGE


def test_a_value_that_is_nested_too_deeply_is_not_walked() -> None:
    deep = doubling(DEFAULT_LIMITS.body_depth_max + 1, ["$now"], ["$$value"])

    assert refusal({"$in": [deep, [[1]]]}) == TOO_DEEP


def test_what_an_evaluation_makes_is_bounded_together() -> None:
    arrays = {"$map": {"input": {"$range": [0, 1000]}, "in": {"$range": ["$$this", 1000]}}}

    assert refusal({"$size": arrays}, work=RequestBudget(bytes_left=MEBI)) == TOO_MUCH


def test_what_was_made_for_one_document_does_not_count_for_the_next() -> None:
    work = RequestBudget(bytes_left=MEBI)
    evaluate = compile_expression(parse_expression({"$size": {"$range": [0, "$n"]}}), work=work)

    assert [evaluate(scope_of({"n": 50_000})) for _ in range(100)] == [50_000] * 100


@pytest.mark.parametrize(
    "body",
    [
        {"$size": {"$range": [0, 1000]}},
        {"$toUpper": "$text"},
        {"$strLenBytes": "$text"},
        {"$indexOfCP": ["$text", "y"]},
        {"$regexMatch": {"input": "$text", "regex": "y"}},
        {"$regexFind": {"input": "$text", "regex": "y"}},
        {"$regexFindAll": {"input": "$text", "regex": "y"}},
        {"$filter": {"input": [1], "cond": False}},
        {"$in": ["y", "$array"]},
    ],
)
def test_a_loop_ends_at_the_deadline(body: Any) -> None:
    clock = iter(range(10**9))
    loop = {"$reduce": {"input": {"$range": [0, 1_000_000]}, "initialValue": 0, "in": body}}
    document = {"text": "é" * 100_000, "array": list(range(1000))}

    assert refusal(loop, document, work=RequestBudget(deadline=20, clock=lambda: float(next(clock)))) == TOO_LATE
