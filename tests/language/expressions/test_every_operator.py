"""Laws that hold for every operator, whatever it is given."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.ordering import sort_key
from rollbook.documents.values import MISSING, Int64, Maybe
from rollbook.errors import LanguageRefused
from rollbook.language.expressions import compile_expression, parse_expression, scope_of
from rollbook.language.expressions.operators import Function, NamedFunction, Operator, Shorthand, SpecialForm
from rollbook.language.expressions.table import FAMILIES, OPERATORS

POSITIONAL = [operator for operator in OPERATORS.values() if isinstance(operator, Function)]
NAMED = [operator for operator in OPERATORS.values() if isinstance(operator, NamedFunction)]

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 2, 101, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**64 - 1, Int64(3)])
    | st.sampled_from([0.0, -0.0, 0.5, -1.5, 1e-308, 1e308, math.inf, -math.inf, math.nan])
    | st.sampled_from(["", "a", "$a", "a.b", "1", "-2.5e1", "\u00e9", "\U0001f600", "[", "x" * 50])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "a", "k", "v"]), inner, max_size=2)
    ),
    max_leaves=6,
)
maybes = values | st.just(MISSING)


def outcome_of(expression: Any, document: Any) -> Any:
    """The key of the expression's value, or the code with which it is refused."""
    outcome = value_or_refusal(expression, document)
    if not isinstance(outcome, LanguageRefused):
        return sort_key(outcome)
    assert outcome.mongo_code is not None
    assert outcome.at
    return outcome.mongo_code


def value_or_refusal(expression: Any, document: Any) -> Maybe | LanguageRefused:
    try:
        return compile_expression(parse_expression(expression))(scope_of(document))
    except LanguageRefused as refusal:
        return refusal


def given_as_fields(operator: Function, arguments: list[Maybe]) -> tuple[Any, Any]:
    document = {f"f{place}": value for place, value in enumerate(arguments) if value is not MISSING}
    return {operator.name: [f"$f{place}" for place in range(len(arguments))]}, document


@given(st.data())
def test_an_operator_gives_a_value_or_a_refusal_with_a_code_and_a_place(data: st.DataObject) -> None:
    operator = data.draw(st.sampled_from(POSITIONAL))
    least, most = operator.arguments
    arguments = data.draw(st.lists(maybes, min_size=least, max_size=3 if most is None else most))
    outcome_of(*given_as_fields(operator, arguments))


@given(st.data())
def test_constants_mean_what_fields_of_the_same_values_mean(data: st.DataObject) -> None:
    operator = data.draw(st.sampled_from(POSITIONAL))
    least, most = operator.arguments
    arguments = data.draw(st.lists(values, min_size=least, max_size=3 if most is None else most))
    constants = {operator.name: [{"$literal": value} for value in arguments]}
    assert outcome_of(constants, {}) == outcome_of(*given_as_fields(operator, arguments))


@given(st.data())
def test_named_arguments_give_a_value_or_a_refusal_too(data: st.DataObject) -> None:
    operator = data.draw(st.sampled_from(NAMED))
    names = [argument.name for argument in operator.signature.arguments]
    document = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, values)))
    outcome_of({operator.name: {name: f"${name}" for name in names}}, document)


@given(st.sampled_from(sorted(OPERATORS)), values)
def test_no_argument_breaks_the_reading_of_an_operator(name: str, argument: Any) -> None:
    outcome_of({name: argument}, {"a": 1})


def test_every_operator_is_in_one_family() -> None:
    assert sum(map(len, FAMILIES)) == len(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: str(operator.name))
def test_every_operator_says_in_a_sentence_what_it_does(operator: Operator) -> None:
    match operator:
        case Function(evaluate=meaning) | NamedFunction(evaluate=meaning):
            sentence = meaning.__doc__
        case SpecialForm(compile=meaning) | Shorthand(parse=meaning):
            sentence = meaning.__doc__
    assert sentence
    assert sentence.partition("\n")[0].endswith(".")
