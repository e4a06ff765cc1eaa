"""What a pattern may cost: to compile, and to search with."""

import time

import pytest

from rollbook.errors import FilterRefused, LanguageRefused, WorkExceeded
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


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"[\pL\pN\pM]" * 2900, r"it has 8700 Unicode classes such as \\pL; the most is 500"),
        ("a?" * 16_000, "it has 16000 optional parts such as a\\?; the most is 8000"),
        ("(x{1000})" * 3600, "it has 3600000 repetitions"),
        ("(x{0,1000})" * 2900, "it has 2900000 repetitions"),
    ],
)
def test_a_pattern_that_takes_long_to_compile_is_refused_before(pattern, problem):
    with pytest.raises(LanguageRefused, match=problem):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\p{Zs}" * 400, "a?" * 8_000, "(a)" * 10_000, r"\?" * 9_000, "(a?){900}(b{30}){20}"]
)
def test_other_large_patterns_are_compiled(pattern):
    assert compile_pattern(pattern).steps > 100


@pytest.mark.parametrize(
    "filter",
    [
        {"$or": [{"a": {"$regex": rf"(\pL\pN?){{5}}{number}"}} for number in range(3)]},
        {"$jsonSchema": {"properties": {"a": {"pattern": r"(\pL\pN?){5}x"}}}},
        {"$jsonSchema": {"patternProperties": {r"(\pL\pN?){5}y": {"type": "object"}}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": r"(\pL\pN?){5}z"}}},
    ],
)
def test_compiling_a_pattern_counts_as_work(filter):
    parsed = parse_filter(filter)
    compile_filter(parsed, work=RequestBudget(deadline=1.0, clock=lambda: 0.0))
    with pytest.raises(WorkExceeded):
        compile_filter(parsed, work=RequestBudget(deadline=1.0, clock=lambda: 2.0))
