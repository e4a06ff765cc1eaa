"""Boolean operators: ``$and $or $not``.

One rule: operands are looked at in order, and none after the one that decides.
"""

from rollbook.documents.values import Maybe, Value
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.operators import Compiling, Function, Parsing, SpecialForm
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.truth import is_true


def parse_operands(json: Value, parsing: Parsing) -> tuple[Expression, ...]:
    """The operands: an array of expressions, or one expression."""
    if isinstance(json, list):
        return tuple([parsing.child(operand, place) for place, operand in enumerate(json)])
    return (parsing.child(json),)


def all_true(operands: tuple[Expression, ...], compiling: Compiling) -> Evaluate:
    """Whether all operands count as true; true when there are none."""
    tests = [compiling.child(operand) for operand in operands]

    def conjunction(scope: Scope) -> Maybe:
        for test in tests:  # noqa: SIM110 (a generator costs twice as much)
            if not is_true(test(scope)):
                return False
        return True

    return conjunction


def any_true(operands: tuple[Expression, ...], compiling: Compiling) -> Evaluate:
    """Whether at least one operand counts as true; false when there are none."""
    tests = [compiling.child(operand) for operand in operands]

    def disjunction(scope: Scope) -> Maybe:
        for test in tests:  # noqa: SIM110
            if is_true(test(scope)):
                return True
        return False

    return disjunction


def is_not_true(value: Maybe) -> Maybe:
    """Whether the value counts as false."""
    return not is_true(value)


OPERATORS = (
    SpecialForm("$and", parse_operands, all_true),
    SpecialForm("$or", parse_operands, any_true),
    Function("$not", is_not_true),
)
