"""How an operator joins the language of expressions: as a row in the ``OPERATORS`` of its family's module.

One rule: a row says everything that parsing and compiling need to know; no operator is known to them by name. There are
these kinds of rows:

- ``Function``: arguments by position, all evaluated first (``{"$abs": "$a"}``, ``{"$mod": ["$a", 2]}``);
- ``NamedFunction``: arguments by name, all evaluated first (``{"$trim": {"input": "$a"}}``);
- ``SpecialForm``: binds variables (``$map``), or evaluates only some of its arguments (``$cond``);
- ``Shorthand``: means another expression (``$literal`` a constant).

What MongoDB has beside these is refused by name (``language.foreign``).

The values that a row's function is given are ``Maybe``: MISSING where the argument gave nothing, which most operators
treat like null. It raises ``refused(code, why)``; who calls it adds the operator's name and where it stands.
A row with ``spends=True`` is given the request's ``RequestBudget`` before the values, to count what it makes
(``work.allocate(bytes)``) and how long it takes (``work.spend(units)``).
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.scopes import Evaluate
from rollbook.limits import RequestBudget


def refused(mongo_code: int, why: str) -> ExpressionRefused:
    """The refusal of values or of an argument's shape: to be raised by an operator."""
    return ExpressionRefused(why, mongo_code=mongo_code)


class Parsing(Protocol):
    """What the ``parse`` of a form is given beside its argument."""

    @property
    def at(self) -> str:
        """Where the argument stands, a JSON Pointer."""

    def child(self, json: Value, *keys: str | int, variables: frozenset[str] = ...) -> Expression:
        """The expression ``json`` that stands at ``keys`` below the argument; it may use ``variables`` too.

        Names of variables are without ``$$``; the variables around the form are known anyway.
        """

    def refused(self, mongo_code: int, why: str, *keys: str | int) -> ExpressionRefused:
        """The refusal of what stands at ``keys`` below the argument."""


class Compiling(Protocol):
    """What the ``compile`` of a form is given beside its parts."""

    @property
    def work(self) -> RequestBudget:
        """What the request may still spend."""

    def child(self, expression: Expression) -> Evaluate:
        """The function that evaluates a part."""

    def folded(self, expression: Expression) -> Expression:
        """The part with what is constant in it evaluated: a ``Constant`` when all of it is."""


class Argument(Struct, frozen=True):
    """An argument by name: optional, with what stands for it when it is not given, unless there is a code for that."""

    name: str
    absent: int | None = None
    default: Maybe = MISSING


class Signature(Struct, frozen=True):
    """The named arguments of an operator, and MongoDB's codes for no object at all and for a name that is none."""

    arguments: tuple[Argument, ...]
    not_an_object: int = 9
    unknown: int = 9

    def members_of(self, json: Value, parsing: Parsing, *keys: str | int) -> dict[str, Value]:
        """The object ``json`` at ``keys`` below the argument, checked: every name known, every required one given."""
        if not isinstance(json, dict):
            raise parsing.refused(self.not_an_object, f"takes an object of named arguments: {self._names()}", *keys)
        known = {argument.name for argument in self.arguments}
        for name in json:
            if name not in known:
                raise parsing.refused(self.unknown, f"has no argument '{name}', only {self._names()}", *keys, name)
        for argument in self.arguments:
            if argument.absent is not None and argument.name not in json:
                raise parsing.refused(argument.absent, f"needs the argument '{argument.name}'", *keys)
        return json

    def _names(self) -> str:
        return ", ".join(argument.name for argument in self.arguments)


class Function(Struct, frozen=True):
    """Arguments by position: ``evaluate(*values)``, as many as ``arguments`` says: least and most, None without bound.

    The argument may be one expression or an array of them: ``{"$abs": x}`` is ``{"$abs": [x]}``.
    """

    name: str
    evaluate: Callable[..., Maybe]
    arguments: tuple[int, int | None] = (1, 1)
    arity_code: int | None = None
    spends: bool = False


class NamedFunction(Struct, frozen=True):
    """Arguments by name: ``evaluate(*values)`` in the order of the signature, defaults where they are not given."""

    name: str
    evaluate: Callable[..., Maybe]
    signature: Signature
    spends: bool = False


class SpecialForm(Struct, frozen=True):
    """``parse(json, parsing)`` makes the parts, of any type; ``compile(parts, compiling)`` the function of a scope.

    What ``compile`` returns may raise ``refused(code, why)`` as functions do. A bound variable is an entry of the
    scope: ``inner = {**scope, name: value}``; its name is checked by ``variables.bound_name``.
    """

    name: str
    parse: Callable[[Value, Parsing], Any]
    compile: Callable[[Any, Compiling], Evaluate]


class Shorthand(Struct, frozen=True):
    """Written as an operator, but means another expression, which ``parse(json, parsing)`` makes."""

    name: str
    parse: Callable[[Value, Parsing], Expression]


Operator: TypeAlias = Function | NamedFunction | SpecialForm | Shorthand
