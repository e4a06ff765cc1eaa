"""Calling an operator on a scope: its arguments are evaluated in order, its refusals say where it stands.

One rule: a refusal is located once, by the innermost operator that it passes.
"""

from collections.abc import Callable, Sequence
from functools import partial

from rollbook.documents.values import Maybe
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.nodes import Call, FormCall
from rollbook.language.expressions.operators import Compiling
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.limits import RequestBudget

_FAILURES = (ExpressionRefused, RecursionError)


def compile_call(call: Call, arguments: Sequence[Evaluate], work: RequestBudget) -> Evaluate:
    """The function that evaluates the ``arguments``, then the operator."""
    evaluate = partial(call.evaluate, work) if call.spends else call.evaluate
    match arguments:
        case [only]:
            return _with_one(call, evaluate, only)
        case [first, second]:
            return _with_two(call, evaluate, first, second)
    return _with_any(call, evaluate, arguments)


def compile_form(call: FormCall, compiling: Compiling) -> Evaluate:
    """The function that evaluates the form."""
    try:
        evaluate: Evaluate = call.compile(call.parts, compiling)
    except _FAILURES as failure:
        raise _located(failure, call) from None

    def form(scope: Scope) -> Maybe:
        try:
            return evaluate(scope)
        except _FAILURES as failure:
            raise _located(failure, call) from None

    return form


def _with_one(call: Call, evaluate: Callable[..., Maybe], only: Evaluate) -> Evaluate:
    def with_one(scope: Scope) -> Maybe:
        try:
            return evaluate(only(scope))
        except _FAILURES as failure:
            raise _located(failure, call) from None

    return with_one


def _with_two(call: Call, evaluate: Callable[..., Maybe], first: Evaluate, second: Evaluate) -> Evaluate:
    def with_two(scope: Scope) -> Maybe:
        try:
            return evaluate(first(scope), second(scope))
        except _FAILURES as failure:
            raise _located(failure, call) from None

    return with_two


def _with_any(call: Call, evaluate: Callable[..., Maybe], arguments: Sequence[Evaluate]) -> Evaluate:
    def with_any(scope: Scope) -> Maybe:
        try:
            return evaluate(*[argument(scope) for argument in arguments])
        except _FAILURES as failure:
            raise _located(failure, call) from None

    return with_any


def _located(failure: ExpressionRefused | RecursionError, call: Call | FormCall) -> ExpressionRefused:
    if isinstance(failure, RecursionError):
        return ExpressionRefused(f"{call.name}: the value is nested too deeply", at=call.at, mongo_code=15)
    if failure.at:
        return failure
    return ExpressionRefused(f"{call.name}: {failure.message}", at=call.at, mongo_code=failure.mongo_code)
