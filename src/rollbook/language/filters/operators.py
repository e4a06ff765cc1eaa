"""How an operator joins the language of filters: as a row in a table of its family's module.

One rule: a row says everything that parsing and compiling need to know; no operator is known to them by name. There are
two kinds:

- ``Operator``: holds a value, and tests a value (``$gte``, ``$type``): one ``Field`` of the tree;
- ``FilterForm``: makes nodes of what it holds, often other filters (``$not``, ``$elemMatch``, ``$expr``).

What MongoDB has beside these is refused by name (``language.foreign``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeGuard

from msgspec import Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.language.filters.nodes import Filter
from rollbook.language.filters.sites import BAD_VALUE, Site

Test: TypeAlias = Callable[[Any], bool]


class Fault(Struct, frozen=True):
    """What is wrong with an operand: words that follow the operator's name, MongoDB's code, and where inside it."""

    problem: str
    mongo_code: int = BAD_VALUE
    key: str | int | None = None


def anything(_: Value) -> Fault | None:
    """Takes every operand."""
    return None


class Operator(Struct, frozen=True):
    """``test(operand)`` makes the test of one value, given an operand in which ``problem_with`` found no fault.

    An array at the end of the path is tested element by element and then itself, but only itself with ``whole``.
    With ``spends``, ``test`` also takes the request's budget, as ``work``.
    """

    name: str
    test: Callable[..., Test]
    problem_with: Callable[[Value], Fault | None] = anything
    whole: bool = False
    spends: bool = False


class FilterForm(Struct, frozen=True):
    """``parse(operand, site)`` makes the filter; None where the operator adds no condition (``$comment``)."""

    name: str
    parse: Callable[[Value, Site], Filter | None]


def check_operand(operand: Value, name: str, problem_with: Callable[[Value], Fault | None], site: Site) -> None:
    """Refuses the operand of operator ``name`` when there is a fault in it, or when it is too long a list."""
    if fault := problem_with(operand):
        keys = () if fault.key is None else (fault.key,)
        raise site.refused(f"{name} {fault.problem}", *keys, mongo_code=fault.mongo_code)
    values_max = site.reading.limits.in_values_max
    if isinstance(operand, list) and len(operand) > values_max:
        raise site.refused(f"{name} takes at most {values_max} values")


def described(value: Value) -> str:
    """The value, short enough for an error message."""
    text = encode_json(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_operator_object(json: Value) -> TypeGuard[Document]:
    """Whether ``json`` is an object of operators (``{"$gt": 3}``) and not a value. A DBRef is a value."""
    if not isinstance(json, dict) or not json:
        return False
    return next(iter(json)).startswith("$") and not ("$ref" in json and "$id" in json)
