"""Operators on one field of an object by its name: reading, setting and removing it.

One rule: a name is a name. Dots and dollars in it mean nothing, so fields that no path reaches can be read and set.
"""

from dataclasses import dataclass

from rollbook.documents.values import MISSING, Maybe, Value, type_name
from rollbook.language.expressions.constants import is_constant
from rollbook.language.expressions.growth import make_elements
from rollbook.language.expressions.nodes import Constant, Expression, Variable
from rollbook.language.expressions.operators import Argument, Compiling, Form, Parsing, Signature, refused
from rollbook.language.expressions.scopes import Evaluate, Scope

_GET = Signature((Argument("field", absent=3041702), Argument("input", absent=3041703)), unknown=3041701)
_UNSET = Signature((Argument("field", absent=4161102), Argument("input", absent=4161109)), 4161100, 4161101)
_SET = Signature(
    (Argument("field", absent=4161102), Argument("value", absent=4161103), Argument("input", absent=4161109)),
    not_an_object=4161100,
    unknown=4161101,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The name of a field, and the object it is read from."""

    name: Expression
    input: Expression


@dataclass(frozen=True, slots=True)
class Setting:
    """The name of a field, the object it is set in, and its new value; what gives nothing removes it."""

    name: str
    input: Expression
    value: Expression


def parse_get(json: Value, parsing: Parsing) -> Reading:
    if not isinstance(json, dict) or next(iter(json), "")[:1] == "$":
        return Reading(parsing.child(json), Variable("CURRENT"))
    members = _GET.members_of(json, parsing)
    return Reading(parsing.child(members["field"], "field"), parsing.child(members["input"], "input"))


def compile_get(form: Reading, compiling: Compiling) -> Evaluate:
    """Gives the field of an object, of the document unless said otherwise, that has exactly this name."""
    name_in, input_in = compiling.child(form.name), compiling.child(form.input)
    if is_constant(form.name):
        name = _name(name_in({}))
        return lambda scope: _get(input_in(scope), name)

    return lambda scope: _get(input_in(scope), _name(name_in(scope)))


def _name(value: Maybe) -> str:
    if not isinstance(value, str):
        raise refused(3041704, f"needs a string as field, not {type_name(value)}")
    return value


def _get(value: Maybe, name: str) -> Maybe:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    return None if value is None else MISSING


def parse_set(json: Value, parsing: Parsing) -> Setting:
    members = _SET.members_of(json, parsing)
    return Setting(
        _constant_name(members["field"], parsing),
        parsing.child(members["input"], "input"),
        parsing.child(members["value"], "value"),
    )


def parse_unset(json: Value, parsing: Parsing) -> Setting:
    members = _UNSET.members_of(json, parsing)
    return Setting(
        _constant_name(members["field"], parsing), parsing.child(members["input"], "input"), Constant(MISSING)
    )


def _constant_name(json: Value, parsing: Parsing) -> str:
    match json:
        case {"$literal": literal} | {"$const": literal}:
            json = literal
        case str() if json[:1] == "$":
            raise parsing.refused(168, "needs a name as field, not a path: use {$literal: ...}", "field")
        case [_, *_] | {} if json != {}:
            raise parsing.refused(4161106, "needs a constant as field", "field")
    if not isinstance(json, str):
        raise parsing.refused(4161107, f"needs a string as field, not {type_name(json)}", "field")
    return json


def compile_set(form: Setting, compiling: Compiling) -> Evaluate:
    """Gives an object with one field set to a value, or removed when that is $$REMOVE; null for null or missing."""
    name, input_in, value_in, work = form.name, compiling.child(form.input), compiling.child(form.value), compiling.work

    def with_field(scope: Scope) -> Maybe:
        target, value = input_in(scope), value_in(scope)
        if target is None or target is MISSING:
            return None
        if not isinstance(target, dict):
            raise refused(4161105, f"needs an object as input, not {type_name(target)}")
        make_elements(work, len(target) + 1)
        if value is MISSING:
            return {key: member for key, member in target.items() if key != name}
        return {**target, name: value}

    return with_field


OPERATORS = (
    Form("$getField", parse_get, compile_get),
    Form("$setField", parse_set, compile_set),
    Form("$unsetField", parse_unset, compile_set),
)
