"""The operators on any field: set, remove, keep the smaller or larger, and the current date."""

from rollbook.documents.ordering import compare
from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.language.updates.operators import Edit, Occasion, Operator, Parsing


def assign(operand: Value) -> Edit:
    """Sets the field to the value; creates the field, and the objects on the way to it, where they are missing."""
    return lambda _: operand


def remove(_: Value) -> Edit:
    """Removes the field; an array element becomes null."""
    return lambda _: MISSING


def assign_on_insert(_: Value) -> Edit:
    """Does nothing to a document that exists: it sets fields only when an update inserts a document."""
    return lambda old: old


def smaller(operand: Value) -> Edit:
    """Sets the field to the value if that is less, in MongoDB's order of values, or if the field is missing."""
    return lambda old: operand if old is MISSING or compare(operand, old) < 0 else old


def larger(operand: Value) -> Edit:
    """Sets the field to the value if that is greater, in MongoDB's order of values, or if the field is missing."""
    return lambda old: operand if old is MISSING or compare(operand, old) > 0 else old


def current_date(now: str) -> Edit:
    """Sets the field to the current date: text of ISO 8601 in UTC, with milliseconds, for JSON has no dates.

    The operand is a boolean or ``{"$type": "date"}`` or ``{"$type": "timestamp"}``, and all mean the same here.
    """
    return lambda _: now


def parse_current_date(operand: Value, parsing: Parsing) -> Value:
    """A boolean (``false`` too), or an object that names a type."""
    if isinstance(operand, bool):
        return operand
    if not isinstance(operand, dict):
        raise parsing.refused(2, "takes true, or {'$type': 'date'}")
    for option in operand:
        if option != "$type":
            raise parsing.refused(2, f"has no option {option!r}, only '$type'", option)
    if operand.get("$type") not in ("date", "timestamp"):
        raise parsing.refused(2, "the '$type' is 'date' or 'timestamp'", *operand)
    return operand


def time_of(_: Maybe, occasion: Occasion) -> str:
    """One time for all the fields of an update."""
    return occasion.now()


OPERATORS = (
    Operator("$set", assign, stores=True),
    Operator("$unset", remove, yields=True),
    Operator("$setOnInsert", assign_on_insert, yields=True),
    Operator("$min", smaller, stores=True),
    Operator("$max", larger, stores=True),
    Operator("$currentDate", current_date, parse=parse_current_date, prepare=time_of, stores=True),
)
