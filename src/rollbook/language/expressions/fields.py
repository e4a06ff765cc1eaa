"""Operators on one field of an object by its name: ``$getField $setField $unsetField``.

One rule: a name is a name. Dots and dollars in it mean nothing, so fields that no path reaches can be read and set.
"""

from msgspec import Struct

from rollbook.documents.values import MISSING, Maybe, Value, type_name
from rollbook.language.expressions.growth import make_elements
from rollbook.language.expressions.nodes import Constant, Expression, ObjectOf, Variable
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope

_GET = Signature((Argument("field", absent=3041702), Argument("input", absent=3041703)), unknown=3041701)
_UNSET = Signature((Argument("field", absent=4161102), Argument("input", absent=4161109)), 4161100, 4161101)
_SET = Signature(
    (Argument("field", absent=4161102), Argument("value", absent=4161103), Argument("input", absent=4161109)),
    not_an_object=4161100,
    unknown=4161101,
)


class Reading(Struct, frozen=True):
    """The name of a field, and the object it is read from."""

    name: Expression
    input: Expression


class Setting(Struct, frozen=True):
    """The name of a field, the object it is set in, and its new value: MISSING removes it."""

    name: str
    input: Expression
    value: Expression


def parse_reading(json: Value, parsing: Parsing) -> Reading:
    """The field and the object; what is no object of named arguments is the field, of the document."""
    if not isinstance(json, dict) or next(iter(json), "")[:1] == "$":
        return Reading(parsing.child(json), Variable("CURRENT"))
    members = _GET.members_of(json, parsing)
    return Reading(parsing.child(members["field"], "field"), parsing.child(members["input"], "input"))


def compile_reading(form: Reading, compiling: Compiling) -> Evaluate:
    """The field of an object, of the document unless another is given, that has exactly this name."""
    name, input_in = compiling.folded(form.name), compiling.child(form.input)
    match name:
        case Constant(str() as known):
            return lambda scope: _field(input_in(scope), known)
    name_in = compiling.child(name)

    def field(scope: Scope) -> Maybe:
        found = name_in(scope)
        if not isinstance(found, str):
            raise refused(3041704, f"needs a string as field, not {type_name(found)}")
        return _field(input_in(scope), found)

    return field


def _field(value: Maybe, name: str) -> Maybe:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    return None if value is None else MISSING


def parse_setting(json: Value, parsing: Parsing) -> Setting:
    """The constant name, the object and the value."""
    return _setting(_SET.members_of(json, parsing), parsing)


def parse_removal(json: Value, parsing: Parsing) -> Setting:
    """The constant name and the object; the value is nothing."""
    return _setting(_UNSET.members_of(json, parsing), parsing)


def _setting(members: dict[str, Value], parsing: Parsing) -> Setting:
    parts = {argument: parsing.child(json, argument) for argument, json in members.items()}
    return Setting(_constant_name(parts["field"], parsing), parts["input"], parts.get("value", Constant(MISSING)))


def _constant_name(name: Expression, parsing: Parsing) -> str:
    match name:
        case Variable():
            raise parsing.refused(4161108, "needs a name as field, no path: write {$literal: name}", "field")
        case Constant(str() as text) if "\0" not in text:
            return text
        case Constant(str()):
            raise parsing.refused(9534700, "can't set a field whose name has a null byte", "field")
        case Constant() | ObjectOf(()):
            raise parsing.refused(4161107, "needs a string as field", "field")
    raise parsing.refused(4161106, "needs a constant as field", "field")


def compile_setting(form: Setting, compiling: Compiling) -> Evaluate:
    """The object with one field set to a value, or removed when there is none; null for null or missing."""
    name, input_in, value_in, work = form.name, compiling.child(form.input), compiling.child(form.value), compiling.work

    def changed(scope: Scope) -> Maybe:
        target, value = input_in(scope), value_in(scope)
        if target is None or target is MISSING:
            return None
        if not isinstance(target, dict):
            raise refused(4161105, f"needs an object as input, not {type_name(target)}")
        make_elements(work, len(target) + 1)
        if value is MISSING:
            return {key: member for key, member in target.items() if key != name}
        return {**target, name: value}

    return changed


OPERATORS = (
    SpecialForm("$getField", parse_reading, compile_reading),
    SpecialForm("$setField", parse_setting, compile_setting),
    SpecialForm("$unsetField", parse_removal, compile_setting),
)
