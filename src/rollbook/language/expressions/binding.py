"""Values as they stand and names for values: ``$literal $const $let``, and ``$rand``.

One rule: what ``$let`` binds is evaluated outside it, so one of its variables can't be made of another.
"""

from random import random

from rollbook.documents.values import Maybe, Value
from rollbook.language.expressions.nodes import Call, Constant, Expression
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Shorthand, Signature, SpecialForm
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.variables import bound_name

_LET = Signature((Argument("vars", 16876), Argument("in", 16877)), 16874, 16875)

Let = tuple[tuple[tuple[str, Expression], ...], Expression]


def literal(json: Value, parsing: Parsing) -> Expression:
    """The value as it stands: ``$`` and operators in it mean nothing."""
    return Constant(json)


def parse_let(json: Value, parsing: Parsing) -> Let:
    """The variables, and the expression that they are for."""
    members = _LET.members_of(json, parsing)
    variables = members["vars"]
    if not isinstance(variables, dict):
        raise parsing.refused(10065, "takes an object of variables", "vars")
    bound = [
        (bound_name(name, parsing, "vars", name), parsing.child(value, "vars", name))
        for name, value in variables.items()
    ]
    return tuple(bound), parsing.child(members["in"], "in", variables=frozenset(variables))


def let(parts: Let, compiling: Compiling) -> Evaluate:
    """The value of an expression in which names stand for values."""
    variables, expression = parts
    compiled = [(name, compiling.child(value)) for name, value in variables]
    body = compiling.child(expression)

    def evaluate(scope: Scope) -> Maybe:
        return body({**scope, **{name: value(scope) for name, value in compiled}})

    return evaluate


def any_fraction(json: Value, parsing: Parsing) -> Expression:
    """A random number of at least 0 and less than 1, another one for each document."""
    if json not in ({}, []):
        raise parsing.refused(3040501 if isinstance(json, (dict, list)) else 10065, "takes no arguments: {}")
    return Call("$rand", random, (), parsing.at, foldable=False)


OPERATORS = (
    Shorthand("$literal", literal),
    Shorthand("$const", literal),
    SpecialForm("$let", parse_let, let),
    Shorthand("$rand", any_fraction),
)
