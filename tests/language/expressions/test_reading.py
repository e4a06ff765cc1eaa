"""How expressions are written: what is a path, an operator, an object, a value, and where a refusal points."""

from typing import Any

import pytest

from rollbook.errors import ExpressionRefused
from rollbook.language.expressions import compile_expression, parse_expression, scope_of
from rollbook.limits import Limits
from tests.language.expressions.evaluating import code_of, is_missing, refusal_of, value_of

GPUS = {"gpus": {"count": 8, "models": ["A100", "H100"]}, "nodes": [{"name": "n1", "gpu": [{"id": 1}]}, {"name": "n2"}]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (5, 5),
        ("west", "west"),
        (None, None),
        ([], []),
        ({}, {}),
        ("$gpus.count", 8),
        ("$$ROOT.gpus.count", 8),
        ("$$CURRENT.gpus.count", 8),
        ("$gpus.models", ["A100", "H100"]),
        ("$nodes.name", ["n1", "n2"]),
        ("$nodes.gpu.id", [[1]]),
        ("$nodes.other", []),
        (["$gpus.count", "$absent"], [8, None]),
        ({"count": "$gpus.count", "absent": "$absent"}, {"count": 8}),
        ({"$literal": "$gpus.count"}, "$gpus.count"),
        ({"$const": {"$add": [1, 2]}}, {"$add": [1, 2]}),
    ],
)
def test_an_expression_is_a_path_an_operator_a_container_or_itself(expression: Any, expected: Any) -> None:
    assert value_of(expression, GPUS) == expected


@pytest.mark.parametrize("path", ["$absent", "$gpus.count.deeper", "$gpus.models.0.x.y", "$$REMOVE", "$$REMOVE.x"])
def test_a_path_to_nothing_gives_nothing(path: str) -> None:
    assert is_missing(value_of(path, {"gpus": {"count": 8}}))


def test_a_path_has_no_indexes() -> None:
    assert value_of("$gpus.models.0", GPUS) == []
    assert value_of("$counts.0", {"counts": {"0": "zero"}}) == "zero"


def test_a_path_skips_arrays_in_arrays() -> None:
    assert value_of("$a.b", {"a": [{"b": 1}, [{"b": 2}], 3, {"c": 4}]}) == [1]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("$", 16872),
        ("$a.", 40353),
        ("$a..b.", 40353),
        ("$a..b", 15998),
        ("$.a", 15998),
        ("$a.$b", 16410),
        ("$a.\0", 16411),
        ("$a" + ".a" * 200, 15),
        ("$$", 9),
        ("$$.a", 9),
        ("$$a-b", 9),
        ("$$_a", 9),
        ("$$unbound", 17276),
        ("$$root", 17276),
        ({"$nothing": 1}, 168),
        ({"$add": [1], "$abs": 1}, 15983),
        ({"$abs": 1, "x": 1}, 15983),
        ({"a": 1, "$abs": 1}, 16410),
        ({"": 1}, 15998),
        ({"a.b": 1}, 16412),
        ({"$abs": []}, 16020),
        ({"$abs": [1, 2]}, 16020),
        ({"$subtract": 1}, 16020),
        ({"$round": [1, 2, 3]}, 28667),
        ({"$dateToParts": {"date": "$a"}}, 115),
        ({"$function": {}}, 115),
        ({"$toObjectId": "$a"}, 115),
    ],
)
def test_what_is_no_expression_is_refused_with_mongodbs_code(expression: Any, code: int) -> None:
    assert code_of(expression) == code


def test_a_refusal_says_where_and_which_operator() -> None:
    with pytest.raises(ExpressionRefused) as refusal:
        parse_expression({"total": {"$add": ["$a", {"$ab/s": 1}]}}, at="/$expr")
    assert refusal.value.at == "/$expr/total/$add/1/$ab~1s"


def test_a_value_that_an_operator_refuses_says_where_too() -> None:
    refusal = refusal_of({"total": {"$add": [1, {"$abs": "$name"}]}}, {"name": "west"})
    assert refusal.at == "/total/$add/1/$abs"
    assert refusal.message.startswith("$abs: ")


def test_a_constant_part_that_fails_is_refused_before_any_document() -> None:
    parsed = parse_expression({"$ifNull": ["$a", {"$divide": [1, 0]}]})
    with pytest.raises(ExpressionRefused) as refusal:
        compile_expression(parsed)
    assert refusal.value.mongo_code == 2


def test_nesting_is_bounded() -> None:
    expression: Any = "$a"
    for _ in range(3):
        expression = {"$abs": expression}
    limits = Limits(expression_depth_max=3)
    assert compile_expression(parse_expression(expression, limits=limits))(scope_of({"a": -1})) == 1
    with pytest.raises(ExpressionRefused) as refusal:
        parse_expression([expression], limits=limits)
    assert refusal.value.mongo_code == 15


def test_no_nesting_breaks_the_interpreter() -> None:
    expression: Any = "$a"
    for _ in range(20_000):
        expression = {"$switch": {"branches": [{"case": True, "then": expression}]}}
    assert code_of(expression) == 15


BAD = {"$betwen": []}


@pytest.mark.parametrize(
    ("expression", "at"),
    [
        ({"$cond": {"if": BAD, "then": 1, "else": 1}}, "/$cond/if"),
        ({"$cond": {"if": 1, "then": BAD, "else": 1}}, "/$cond/then"),
        ({"$cond": {"if": 1, "then": 1, "else": BAD}}, "/$cond/else"),
        ({"$cond": [1, 1, BAD]}, "/$cond/2"),
        ({"$ifNull": [1, BAD]}, "/$ifNull/1"),
        ({"$switch": {"branches": [{"case": 1, "then": 1}, {"case": BAD, "then": 1}]}}, "/$switch/branches/1/case"),
        ({"$switch": {"branches": [{"case": 1, "then": BAD}]}}, "/$switch/branches/0/then"),
        ({"$switch": {"branches": [{"case": 1, "then": 1}], "default": BAD}}, "/$switch/default"),
        ({"$and": [1, BAD]}, "/$and/1"),
        ({"$or": BAD}, "/$or"),
        ({"$convert": {"input": BAD, "to": "int"}}, "/$convert/input"),
        ({"$map": {"input": BAD, "in": 1}}, "/$map/input"),
        ({"$map": {"input": [], "in": BAD}}, "/$map/in"),
        ({"$filter": {"input": BAD, "cond": 1}}, "/$filter/input"),
        ({"$filter": {"input": [], "cond": BAD}}, "/$filter/cond"),
        ({"$filter": {"input": [], "cond": 1, "limit": BAD}}, "/$filter/limit"),
        ({"$reduce": {"input": BAD, "initialValue": 0, "in": 1}}, "/$reduce/input"),
        ({"$reduce": {"input": [], "initialValue": BAD, "in": 1}}, "/$reduce/initialValue"),
        ({"$reduce": {"input": [], "initialValue": 0, "in": BAD}}, "/$reduce/in"),
        ({"$getField": {"field": BAD, "input": {}}}, "/$getField/field"),
        ({"$getField": {"field": "a", "input": BAD}}, "/$getField/input"),
        ({"$getField": BAD}, "/$getField"),
        ({"$setField": {"field": "a", "input": BAD, "value": 1}}, "/$setField/input"),
        ({"$setField": {"field": "a", "input": {}, "value": BAD}}, "/$setField/value"),
        ({"$setEquals": [[1], BAD]}, "/$setEquals/1"),
        ({"$setIsSubset": [BAD, [1]]}, "/$setIsSubset/0"),
        ({"$let": {"vars": {"x": BAD}, "in": 1}}, "/$let/vars/x"),
        ({"$let": {"vars": {}, "in": BAD}}, "/$let/in"),
        ({"$add": [1, BAD]}, "/$add/1"),
        ({"$trim": {"input": BAD}}, "/$trim/input"),
        ({"$trim": {"input": "a", "chars": BAD}}, "/$trim/chars"),
        ({"$zip": {"inputs": [[1], BAD]}}, "/$zip/inputs/1"),
        ({"$zip": {"inputs": [[1]], "useLongestLength": True, "defaults": [BAD]}}, "/$zip/defaults/0"),
        ({"$regexMatch": {"input": BAD, "regex": "a"}}, "/$regexMatch/input"),
        ({"$regexFind": {"input": "a", "regex": BAD}}, "/$regexFind/regex"),
        ({"$regexFindAll": {"input": "a", "regex": "a", "options": BAD}}, "/$regexFindAll/options"),
        ({"$median": {"input": BAD, "method": "approximate"}}, "/$median/input"),
        ({"$percentile": {"input": BAD, "p": [0], "method": "approximate"}}, "/$percentile/input"),
        ({"$percentile": {"input": 1, "p": BAD, "method": "approximate"}}, "/$percentile/p"),
        ({"$sortArray": {"input": BAD, "sortBy": 1}}, "/$sortArray/input"),
        ({"a": [1, BAD]}, "/a/1"),
    ],
)
def test_an_unknown_operator_is_refused_where_it_stands(expression: Any, at: str) -> None:
    assert refusal_of(expression).at == f"{at}/$betwen"


@pytest.mark.parametrize(
    ("expression", "at"),
    [
        ({"$cond": [1, 2]}, "/$cond"),
        ({"$cond": {"if": 1, "then": 2}}, "/$cond"),
        ({"$switch": {"branches": 1}}, "/$switch/branches"),
        ({"$switch": {"branches": []}}, "/$switch/branches"),
        ({"$switch": {"branches": [{"case": 1, "then": 1}, 1]}}, "/$switch/branches/1"),
        ({"$switch": {"branches": [{"case": 1}]}}, "/$switch/branches/0"),
        ({"$setField": {"field": "$a", "input": {}, "value": 1}}, "/$setField/field"),
        ({"$setField": {"field": "a\0", "input": {}, "value": 1}}, "/$setField/field"),
        ({"$setField": {"field": 7, "input": {}, "value": 1}}, "/$setField/field"),
        ({"$unsetField": {"field": {"$concat": ["a"]}, "input": {}}}, "/$unsetField/field"),
        ({"$map": {"input": [], "as": "Node", "in": 1}}, "/$map/as"),
        ({"$filter": {"input": [], "as": 7, "cond": 1}}, "/$filter/as"),
        ({"$setEquals": [[1]]}, "/$setEquals"),
        ({"$let": {"vars": 1, "in": 1}}, "/$let/vars"),
        ({"$zip": 1}, "/$zip"),
        ({"$zip": {"inputs": []}}, "/$zip"),
        ({"$zip": {"inputs": 1}}, "/$zip/inputs"),
        ({"$zip": {"inputs": [[1]], "useLongestLength": 1}}, "/$zip/useLongestLength"),
        ({"$zip": {"inputs": [[1]], "useLongestLength": True, "defaults": 1}}, "/$zip/defaults"),
        ({"$zip": {"inputs": [[1]], "defaults": [1]}}, "/$zip/defaults"),
        ({"$zip": {"inputs": [[1]], "useLongestLength": True, "defaults": [1, 2]}}, "/$zip/defaults"),
        ({"$median": {"input": 1, "method": 1}}, "/$median/method"),
        ({"$percentile": {"input": 1, "p": [0], "method": "exact"}}, "/$percentile/method"),
        ({"$sortArray": {"input": [], "sortBy": 2}}, "/$sortArray/sortBy"),
        ({"$sortArray": {"input": [], "sortBy": "a"}}, "/$sortArray/sortBy"),
        ({"$sortArray": {"input": [], "sortBy": {}}}, "/$sortArray/sortBy"),
        ({"$sortArray": {"input": [], "sortBy": {"a": 2}}}, "/$sortArray/sortBy/a"),
        ({"$sortArray": {"input": [], "sortBy": {"a.": 1}}}, "/$sortArray/sortBy/a."),
    ],
)
def test_a_part_of_the_wrong_kind_is_refused_where_it_stands(expression: Any, at: str) -> None:
    assert refusal_of(expression).at == at
