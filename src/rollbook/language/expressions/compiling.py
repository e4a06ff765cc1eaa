"""The tree of an expression to a function of a scope: what each node means.

One rule: what does not depend on the document is computed once. As in MongoDB, a constant part that can't be evaluated
(``{"$divide": [1, 0]}``) is refused here, even where no document would reach it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.calls import compile_call, compile_form
from rollbook.language.expressions.fieldpaths import compile_path
from rollbook.language.expressions.nodes import ArrayOf, Call, Constant, Expression, FormCall, ObjectOf, Variable
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.limits import RequestBudget


def compile_expression(
    expression: Expression, *, work: RequestBudget | None = None, now: datetime | None = None
) -> Evaluate:
    """The function that gives the value of ``expression`` in a scope.

    ``work`` is what the request may still spend; ``now`` is the time that ``$$NOW`` gives. What an evaluation made on
    the way is garbage once it has its value, so its bytes count only until then; who keeps values counts them.
    """
    work = work or RequestBudget()
    try:
        evaluate = _Compiler(work, now).child(expression)
    except RecursionError:
        raise ExpressionRefused("the expression is nested too deeply", mongo_code=15) from None
    return _giving_back(evaluate, work) if _makes_values(expression) else evaluate


def _giving_back(evaluate: Evaluate, work: RequestBudget) -> Evaluate:
    def evaluated(scope: Scope) -> Maybe:
        bytes_left = work.bytes_left
        value = evaluate(scope)
        work.bytes_left = bytes_left
        return value

    return evaluated


def _makes_values(expression: Expression) -> bool:
    """Whether something in ``expression`` may count bytes."""
    match expression:
        case Call(arguments=arguments):
            return expression.spends or any(map(_makes_values, arguments))
        case ArrayOf(elements):
            return any(map(_makes_values, elements))
        case ObjectOf(members):
            return any(_makes_values(member) for _, member in members)
    return isinstance(expression, FormCall)


class _Compiler:
    """Compiles one expression for one request."""

    __slots__ = ("_now", "work")

    def __init__(self, work: RequestBudget, now: datetime | None) -> None:
        self.work = work
        self._now = now

    def child(self, expression: Expression) -> Evaluate:
        """The function that evaluates ``expression``."""
        return self._compiled(self.folded(expression))

    def folded(self, expression: Expression) -> Expression:
        """The same with its constant parts evaluated; what a form holds is folded when the form compiles it."""
        match expression:
            case Call(arguments=arguments):
                arguments = tuple([self.folded(argument) for argument in arguments])
                call = Call(
                    expression.name,
                    expression.evaluate,
                    arguments,
                    expression.at,
                    expression.spends,
                    expression.foldable,
                )
                return self._constant(call) if call.foldable and _are_constant(arguments) else call
            case ArrayOf(elements):
                elements = tuple([self.folded(element) for element in elements])
                return self._constant(ArrayOf(elements)) if _are_constant(elements) else ArrayOf(elements)
            case ObjectOf(members):
                members = tuple([(name, self.folded(member)) for name, member in members])
                constant = _are_constant([member for _, member in members])
                return self._constant(ObjectOf(members)) if constant else ObjectOf(members)
        return expression

    def _constant(self, expression: Expression) -> Constant:
        return Constant(self._compiled(expression)({}))

    def _compiled(self, expression: Expression) -> Evaluate:
        match expression:
            case Constant(value):
                return lambda scope: value
            case Variable(name, path):
                return self._variable(name, path)
            case Call(arguments=arguments):
                return compile_call(expression, [self._compiled(argument) for argument in arguments], self.work)
            case FormCall():
                return compile_form(expression, self)
            case ObjectOf(members):
                return self._object(members)
            case ArrayOf(elements):
                return self._array(elements)
        assert_never(expression)

    def _variable(self, name: str, path: Path) -> Evaluate:
        if name == "NOW":
            if path:
                return lambda scope: MISSING
            self._now = self._now or datetime.now(UTC)
            now = self._now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return lambda scope: scope.get("NOW", now)
        return compile_path(name, path)

    def _object(self, members: tuple[tuple[str, Expression], ...]) -> Evaluate:
        compiled = [(name, self._compiled(member)) for name, member in members]

        def object_of(scope: Scope) -> Maybe:
            result: dict[str, Value] = {}
            for name, evaluate in compiled:
                value = evaluate(scope)
                if value is not MISSING:
                    result[name] = value
            return result

        return object_of

    def _array(self, elements: tuple[Expression, ...]) -> Evaluate:
        compiled = [self._compiled(element) for element in elements]

        def array_of(scope: Scope) -> Maybe:
            values = [evaluate(scope) for evaluate in compiled]
            return [None if value is MISSING else value for value in values]

        return array_of


def _are_constant(expressions: Sequence[Expression]) -> bool:
    return all(isinstance(expression, Constant) for expression in expressions)
