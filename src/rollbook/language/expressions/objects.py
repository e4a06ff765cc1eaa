"""Operators on objects: their fields by name, as pairs, and merged.

One rule: a name is a name. Dots and dollars in it mean nothing, so fields that no path reaches can be read and set.
"""

from rollbook.documents.values import MISSING, Document, Maybe, Value, type_name
from rollbook.language.expressions.arguments import array_or_null
from rollbook.language.expressions.growth import make_elements
from rollbook.language.expressions.operators import Function, refused
from rollbook.limits import RequestBudget


def merged(work: RequestBudget, *values: Maybe) -> Maybe:
    """The objects, or an array's, merged into one: later fields win, null and missing count as empty."""
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    result: Document = {}
    for value in values:
        if isinstance(value, dict):
            result |= value
        elif not (value is None or value is MISSING):
            raise refused(40400, f"merges only objects, not {type_name(value)}")
    make_elements(work, len(result))
    return result


def as_pairs(work: RequestBudget, value: Maybe) -> Maybe:
    """The fields of an object as an array of ``{k: name, v: value}``; null for null or missing."""
    if isinstance(value, dict):
        make_elements(work, 4 * len(value))
        return [{"k": name, "v": member} for name, member in value.items()]
    if value is None or value is MISSING:
        return None
    raise refused(40390, f"needs an object, not {type_name(value)}")


def from_pairs(work: RequestBudget, value: Maybe) -> Maybe:
    """The object of an array of ``{k: name, v: value}`` or ``[name, value]``; null for null or missing."""
    array = array_or_null(value, 40386)
    if array is None:
        return None
    make_elements(work, len(array))
    match array:
        case []:
            return {}
        case [list(), *_]:
            return dict(map(_from_array, array))
        case [dict(), *_]:
            return dict(map(_from_object, array))
    raise refused(40398, f"needs arrays or objects as elements, not {type_name(array[0])}")


def _from_array(pair: Value) -> tuple[str, Value]:
    if not isinstance(pair, list):
        raise refused(40396, f"needs only arrays where the first element is one, not {type_name(pair)}")
    if len(pair) != 2:
        raise refused(40397, f"needs arrays of a name and a value, not of {len(pair)} elements")
    name, value = pair
    if not isinstance(name, str):
        raise refused(40395, f"needs a string as name, not {type_name(name)}")
    return _checked(name, 4940400), value


def _from_object(pair: Value) -> tuple[str, Value]:
    if not isinstance(pair, dict):
        raise refused(40391, f"needs only objects where the first element is one, not {type_name(pair)}")
    if len(pair) != 2:
        raise refused(40392, f"needs objects with k and v alone, not with {len(pair)} fields")
    if "k" not in pair or "v" not in pair:
        raise refused(40393, "needs objects with k and v")
    name = pair["k"]
    if not isinstance(name, str):
        raise refused(40394, f"needs a string as k, not {type_name(name)}")
    return _checked(name, 4940401), pair["v"]


def _checked(name: str, code: int) -> str:
    if "\0" in name:
        raise refused(code, "can't make a field whose name has a null byte")
    return name


OPERATORS = (
    Function("$mergeObjects", merged, (0, None), spends=True),
    Function("$objectToArray", as_pairs, spends=True),
    Function("$arrayToObject", from_pairs, spends=True),
)
