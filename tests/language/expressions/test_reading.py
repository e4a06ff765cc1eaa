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
        ({"$dateToString": {"date": "$a"}}, 115),
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
