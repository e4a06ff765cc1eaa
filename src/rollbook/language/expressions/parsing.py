"""JSON to the tree of an expression: with the operators' own ``parse``, the only place that refuses how one is written.

One rule: a string that begins with ``$`` is a field path or variable, an object whose first name begins with ``$`` is
an operator, any other object or array holds expressions, and everything else is itself.
"""

from typing import assert_never

from msgspec import Struct

from rollbook.documents.values import Value
from rollbook.errors import ExpressionRefused, below
from rollbook.language import foreign
from rollbook.language.expressions.fieldpaths import parse_field_path
from rollbook.language.expressions.nodes import ArrayOf, Call, Constant, Expression, FormCall, ObjectOf
from rollbook.language.expressions.operators import Function, NamedFunction, Operator, Shorthand, SpecialForm
from rollbook.language.expressions.table import OPERATORS
from rollbook.language.expressions.variables import SYSTEM_VARIABLES
from rollbook.limits import DEFAULT_LIMITS, Limits

NOT_SUPPORTED, NOT_AN_EXPRESSION = 115, 168

_TOO_DEEP = "the expression is nested too deeply"


def parse_expression(
    json: Value, *, at: str = "", limits: Limits = DEFAULT_LIMITS, variables: frozenset[str] = frozenset()
) -> Expression:
    """The expression that ``json`` writes; ``variables`` are names that its scopes will have beside the system's."""
    place = _Place(at, SYSTEM_VARIABLES | variables, limits.expression_depth_max)
    try:
        return place.expression(json)
    except RecursionError:
        raise place.refused(15, _TOO_DEEP) from None


class _Place(Struct, frozen=True):
    """Where parsing stands: a JSON Pointer, the variables in scope, and how much deeper it may go."""

    at: str
    variables: frozenset[str]
    depth_left: int

    def expression(self, json: Value) -> Expression:
        if isinstance(json, str):
            return parse_field_path(json, self.variables, at=self.at) if json[:1] == "$" else Constant(json)
        if isinstance(json, dict):
            return self._operator(json) if next(iter(json), "")[:1] == "$" else self._object(json)
        if isinstance(json, list):
            return ArrayOf(tuple([self.child(element, place) for place, element in enumerate(json)]))
        return Constant(json)

    def child(self, json: Value, *keys: str | int, variables: frozenset[str] = frozenset()) -> Expression:
        if isinstance(json, str):
            if json[:1] != "$":
                return Constant(json)
        elif not isinstance(json, (dict, list)):
            return Constant(json)
        return self.below(*keys, variables=variables).expression(json)

    def below(self, *keys: str | int, variables: frozenset[str] = frozenset()) -> "_Place":
        if not self.depth_left:
            raise self.refused(15, _TOO_DEEP)
        known = self.variables | variables if variables else self.variables
        return _Place(_pointer(self.at, keys), known, self.depth_left - 1)

    def refused(self, mongo_code: int, why: str, *keys: str | int) -> ExpressionRefused:
        return ExpressionRefused(why, at=_pointer(self.at, keys), mongo_code=mongo_code)

    def _object(self, members: dict[str, Value]) -> Expression:
        for name in members:
            if problem := _problem_with_name(name):
                raise self.refused(*problem, name)
        return ObjectOf(tuple([(name, self.child(member, name)) for name, member in members.items()]))

    def _operator(self, written: dict[str, Value]) -> Expression:
        (name, argument), *others = written.items()
        if others:
            raise self.refused(15983, f"'{name}' stands alone in its object: '{others[0][0]}' can't stand beside it")
        operator = OPERATORS.get(name)
        if operator is None:
            raise self._unknown(name)
        place = _Argument(_pointer(self.at, (name,)), self.variables, self.depth_left, name)
        return place.call(operator, argument)

    def _unknown(self, name: str) -> ExpressionRefused:
        if name in foreign.EXPRESSIONS:
            code = NOT_AN_EXPRESSION if name in foreign.NOT_IN_EXPRESSIONS else NOT_SUPPORTED
            return self.refused(code, f"{name}: {foreign.EXPRESSIONS[name]}", name)
        return self.refused(NOT_AN_EXPRESSION, foreign.unknown(name, OPERATORS, "operator of expressions"), name)


class _Argument(_Place, frozen=True):
    """The place of an operator's argument: refusals begin with the operator's name."""

    operator: str

    def refused(self, mongo_code: int, why: str, *keys: str | int) -> ExpressionRefused:
        return ExpressionRefused(f"{self.operator}: {why}", at=_pointer(self.at, keys), mongo_code=mongo_code)

    def call(self, operator: Operator, json: Value) -> Expression:
        match operator:
            case Function():
                return self._function(operator, json)
            case NamedFunction():
                return self._named_function(operator, json)
            case SpecialForm():
                return FormCall(operator.name, operator.compile, operator.parse(json, self), self.at)
            case Shorthand():
                return operator.parse(json, self)
        assert_never(operator)

    def _function(self, operator: Function, json: Value) -> Expression:
        written = json if isinstance(json, list) else [json]
        arguments = tuple([self.child(argument, place) for place, argument in enumerate(written)])
        least, most = operator.arguments
        if len(arguments) < least or (most is not None and len(arguments) > most):
            code = operator.arity_code or (16020 if least == most else 28667)
            raise self.refused(code, f"takes {_count(least, most)}, not {len(arguments)}")
        return Call(operator.name, operator.evaluate, arguments, self.at, operator.spends)

    def _named_function(self, operator: NamedFunction, json: Value) -> Expression:
        members = operator.signature.members_of(json, self)
        arguments = tuple(
            [
                self.child(members[argument.name], argument.name)
                if argument.name in members
                else Constant(argument.default)
                for argument in operator.signature.arguments
            ]
        )
        return Call(operator.name, operator.evaluate, arguments, self.at, operator.spends)


def _pointer(at: str, keys: tuple[str | int, ...]) -> str:
    for key in keys:
        at = below(at, key)
    return at


def _problem_with_name(name: str) -> tuple[int, str] | None:
    if not name:
        return 15998, "a field of an object can't have an empty name"
    if name[0] == "$":
        return 16410, f"the field name '{name}' begins with '$': use $setField"
    if "." in name:
        return 16412, f"the field name '{name}' has a dot: use $setField or nested objects"
    return None


def _count(least: int, most: int | None) -> str:
    if least == most:
        return f"{least} argument{'s' if least != 1 else ''}"
    return f"{least} or more arguments" if most is None else f"{least} to {most} arguments"
