"""What a pattern may cost: to compile, and to search with."""

import time

import pytest

from rollbook.errors import FilterRefused, WorkExceeded
from rollbook.language.expressions import compile_expression, parse_expression, scope_of
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.language.regular_expressions import compile_pattern
from rollbook.limits import Limits, RequestBudget

COSTLY = "((a?){900}){1}(.*){900}x"
TEXT = "x" + "abc def " * 100_000

SEARCHES = [
    {"$regexMatch": {"input": "$text", "regex": COSTLY}},
    {"$regexFind": {"input": "$text", "regex": COSTLY}},
    {"$regexFindAll": {"input": "$text", "regex": COSTLY}},
    {"$regexMatch": {"input": "$text", "regex": "$pattern"}},
]


@pytest.mark.parametrize("expression", SEARCHES)
def test_a_search_that_could_take_too_long_is_refused(expression):
    evaluate = compile_expression(parse_expression(expression), work=RequestBudget())
    begun = time.monotonic()
    with pytest.raises(WorkExceeded):
        evaluate(scope_of({"text": TEXT, "pattern": COSTLY}))
    assert time.monotonic() - begun < RequestBudget.STEP_SECONDS_MAX


@pytest.mark.parametrize(
    "filter",
    [
        {"text": {"$regex": COSTLY}},
        {"$jsonSchema": {"properties": {"text": {"pattern": COSTLY}}}},
        {"$jsonSchema": {"patternProperties": {COSTLY: {}}}},
        {"$jsonSchema": {"patternProperties": {COSTLY: {}}, "additionalProperties": False}},
    ],
)
def test_a_filter_counts_its_searches(filter):
    matches = compile_filter(parse_filter(filter), work=RequestBudget())
    with pytest.raises(WorkExceeded):
        matches({"text": TEXT, TEXT: 1})


def test_a_search_that_does_not_fit_in_what_is_left_is_refused():
    now = [0.0]
    work = RequestBudget(deadline=10.0, clock=lambda: now[0])
    matches = compile_pattern("(a?){100}(.*){100}x").within(work)
    text = "x" + "b" * 200_000
    assert matches(text)
    now[0] = 9.9
    with pytest.raises(WorkExceeded):
        matches(text)
    assert matches("a short x")


def test_a_text_without_what_each_match_needs_costs_nothing():
    assert not compile_pattern("missing" + COSTLY).within(RequestBudget())(TEXT)


def test_a_plain_text_costs_nothing():
    assert compile_pattern("def").within(RequestBudget(deadline=float("-inf")))(TEXT)


def test_the_patterns_of_a_filter_have_a_bound_together():
    each = [{"a": {"$regex": f"[a-f]{{900}}{number}"}} for number in range(20)]
    limits = Limits(pattern_steps_max=20_000)
    assert parse_filter({"$or": each[:10]}, limits=limits)
    with pytest.raises(FilterRefused) as refused:
        parse_filter({"$or": each[:19] + each}, limits=limits)
    assert refused.value.at.startswith("/$or/2")


def test_compiling_a_pattern_of_a_document_is_work():
    ticks = iter(range(1_000_000))
    work = RequestBudget(deadline=30, clock=lambda: next(ticks))
    expression = {"$regexMatch": {"input": "x", "regex": {"$concat": ["$pattern", "{900}"]}}}
    evaluate = compile_expression(parse_expression(expression), work=work)
    patterns = [f"[{letter}-z]" for letter in "abcdefghijklmnopqrstuvwxyz"]
    with pytest.raises(WorkExceeded):
        [evaluate(scope_of({"pattern": pattern})) for pattern in patterns * 10]
