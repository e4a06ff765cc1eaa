"""``$convert``: a value as another type, with ``onNull`` and ``onError`` for what has none.

One rule: ``onError`` catches what MongoDB could not convert either. A target that only MongoDB has (dates, ObjectIds,
decimals, binary data) is refused even so: a silent fallback would hide that this registry is not like MongoDB there.
"""

from collections.abc import Callable

from msgspec import Struct

from rollbook.documents.values import INT32_MAX, INT32_MIN, Maybe, Value, type_name
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.conversions import (
    CONVERSION_FAILURE,
    as_bool,
    as_double,
    as_int,
    as_long,
    as_string,
    impossible,
)
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.numbers import is_null, number_of
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope

_SIGNATURE = Signature(
    (
        Argument("input", 9),
        Argument("to", 9),
        Argument("onError"),
        Argument("onNull", default=None),
        Argument("format", default=None),
        Argument("byteOrder", default=None),
    )
)

CONVERSIONS: dict[str, Callable[[Maybe], Value]] = {
    "bool": as_bool,
    "double": as_double,
    "int": as_int,
    "long": as_long,
    "string": as_string,
}

NOT_IN_JSON = {
    "date": frozenset({"string", "long", "double"}),
    "decimal": frozenset({"string", "bool", "int", "long", "double"}),
    "objectId": frozenset({"string"}),
    "binData": frozenset({"string", "int", "long", "double"}),
}
"""The targets that JSON does not have, and the types from which MongoDB converts to them."""

_TYPE_NAMES = {
    -1: "minKey",
    0: "missing",
    1: "double",
    2: "string",
    3: "object",
    4: "array",
    5: "binData",
    6: "undefined",
    7: "objectId",
    8: "bool",
    9: "date",
    10: "null",
    11: "regex",
    12: "dbPointer",
    13: "javascript",
    14: "symbol",
    15: "javascriptWithScope",
    16: "int",
    17: "timestamp",
    18: "long",
    19: "decimal",
    127: "maxKey",
}

_FORMATS = frozenset({"auto", "base64", "base64url", "hex", "utf8", "uuid"})
_BYTE_ORDERS = frozenset({"big", "little"})
_BINARY_SUBTYPES = frozenset({*range(10), *range(128, 256)})


class Conversion(Struct, frozen=True):
    """The parts of ``$convert``; ``on_error`` is None when it is not given."""

    input: Expression
    to: Expression
    on_null: Expression
    on_error: Expression | None
    format: Expression
    byte_order: Expression


class Target(Struct, frozen=True):
    """The type to convert to, and the subtype of binary data."""

    name: str
    subtype: Maybe = 0


def parse_convert(json: Value, parsing: Parsing) -> Conversion:
    """The arguments, by name."""
    members = _SIGNATURE.members_of(json, parsing)
    given = {name: parsing.child(member, name) for name, member in members.items()}
    null = Constant(None)
    return Conversion(
        input=given["input"],
        to=given["to"],
        on_null=given.get("onNull", null),
        on_error=given.get("onError"),
        format=given.get("format", null),
        byte_order=given.get("byteOrder", null),
    )


def converted(parts: Conversion, compiling: Compiling) -> Evaluate:
    """The value as another type; ``onNull`` stands for null and missing, ``onError`` for what can't be converted."""
    value_of, target_of, on_null, format_of, byte_order_of = [
        compiling.child(part) for part in (parts.input, parts.to, parts.on_null, parts.format, parts.byte_order)
    ]
    on_error = compiling.child(parts.on_error) if parts.on_error is not None else None

    def convert(scope: Scope) -> Maybe:
        target = target_named(target_of(scope))
        value = value_of(scope)
        if is_null(value):
            return on_null(scope)
        if target is None:
            return None
        binary_format = _checked_format(format_of(scope))
        _check_byte_order(byte_order_of(scope))
        _check_representable(value, target, binary_format)
        try:
            return _to_target(value, target)
        except ExpressionRefused as refusal:
            if on_error is None or refusal.mongo_code != CONVERSION_FAILURE:
                raise
            return on_error(scope)

    return convert


def target_named(value: Maybe) -> Target | None:
    """The target that the value of ``to`` names; None when it is null."""
    if is_null(value):
        return None
    if isinstance(value, dict):
        return Target(_type_named(value.get("type")), value.get("subtype", 0))
    return Target(_type_named(value))


def _type_named(value: Maybe) -> str:
    if isinstance(value, str):
        if value not in _TYPE_NAMES.values() or value == "missing":
            raise refused(2, f"there is no type '{value}'")
        return value
    number = number_of(value)
    if number is None:
        raise refused(9, f"takes a type's name or number in 'to', not {type_name(value)}")
    if number not in _TYPE_NAMES:
        raise refused(9, f"there is no type {number}")
    return _TYPE_NAMES[int(number)]


def _check_representable(value: Maybe, target: Target, binary_format: str | None) -> None:
    """Refuses what MongoDB would convert to a type that JSON does not have."""
    if type_name(value) not in NOT_IN_JSON.get(target.name, ()):
        return
    if target.name == "binData":
        _check_subtype(target.subtype)
        if isinstance(value, str) and binary_format is None:
            raise refused(4341115, "needs a 'format' to convert from string to binData")
    raise refused(CONVERSION_FAILURE, f"documents are JSON: there is no type {target.name}")


def _to_target(value: Maybe, target: Target) -> Maybe:
    convert = CONVERSIONS.get(target.name)
    if convert is None:
        raise impossible(value, target.name)
    return convert(value)


def _check_subtype(subtype: Maybe) -> None:
    number = number_of(subtype)
    if number is None:
        raise refused(4341108, f"takes a number as 'subtype', not {type_name(subtype)}")
    if not INT32_MIN <= number <= INT32_MAX or number != int(number):
        raise refused(4341106, f"takes an integer as 'subtype', not {number}")
    if number not in _BINARY_SUBTYPES:
        raise refused(4341107, f"there is no subtype {number} of binData")


def _checked_format(value: Maybe) -> str | None:
    if is_null(value):
        return None
    if not isinstance(value, str):
        raise refused(4341114, f"takes a string as 'format', not {type_name(value)}")
    if value not in _FORMATS:
        raise refused(4341125, f"there is no format '{value}'")
    return value


def _check_byte_order(value: Maybe) -> None:
    if is_null(value):
        return
    if not isinstance(value, str):
        raise refused(9130001, f"takes a string as 'byteOrder', not {type_name(value)}")
    if value not in _BYTE_ORDERS:
        raise refused(9130002, f"there is no byte order '{value}'")


OPERATORS = (SpecialForm("$convert", parse_convert, converted),)
