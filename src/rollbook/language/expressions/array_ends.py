"""``$firstN $lastN $maxN $minN``: N of an array's elements, from one end of it or of their order.

One rule: the number is at least one, and more than there are elements means all of them.
"""

from heapq import nlargest, nsmallest

from rollbook.documents.ordering import sort_key
from rollbook.documents.values import INT64_MAX, INT64_MIN, Maybe, Value, is_number, type_name
from rollbook.language.expressions.growth import make_elements, walk
from rollbook.language.expressions.operators import Argument, NamedFunction, Signature, refused
from rollbook.limits import RequestBudget

_SIGNATURE = Signature(
    (Argument("n", absent=5787906), Argument("input", absent=5787907)), not_an_object=5787900, unknown=5787901
)


def first_elements(work: RequestBudget, count: Maybe, array: Maybe) -> Maybe:
    """The first n elements of an array."""
    number = _count(count)
    return _elements(work, array)[:number]


def last_elements(work: RequestBudget, count: Maybe, array: Maybe) -> Maybe:
    """The last n elements of an array."""
    number = _count(count)
    return _elements(work, array)[-number:]


def largest_elements(work: RequestBudget, count: Maybe, array: Maybe) -> Maybe:
    """The n largest elements of an array, the largest first; null ones are left out."""
    return nlargest(_count(count), _present(work, array), key=sort_key)


def smallest_elements(work: RequestBudget, count: Maybe, array: Maybe) -> Maybe:
    """The n smallest elements of an array, the smallest first; null ones are left out."""
    return nsmallest(_count(count), _present(work, array), key=sort_key)


def _present(work: RequestBudget, array: Maybe) -> list[Value]:
    elements = _elements(work, array)
    walk(work, elements)
    return [element for element in elements if element is not None]


def _count(value: Maybe) -> int:
    if not is_number(value):
        raise refused(5787902, f"needs a number as n, not {type_name(value)}")
    if not INT64_MIN <= value <= INT64_MAX or value != int(value):
        raise refused(5787903, f"needs an integer as n, not {value}")
    if value < 1:
        raise refused(5787908, f"needs a number of at least 1 as n, not {value}")
    return int(value)


def _elements(work: RequestBudget, array: Maybe) -> list[Value]:
    if not isinstance(array, list):
        raise refused(5788200, f"needs an array as input, not {type_name(array)}")
    make_elements(work, len(array))
    return array


OPERATORS = (
    NamedFunction("$firstN", first_elements, _SIGNATURE, spends=True),
    NamedFunction("$lastN", last_elements, _SIGNATURE, spends=True),
    NamedFunction("$maxN", largest_elements, _SIGNATURE, spends=True),
    NamedFunction("$minN", smallest_elements, _SIGNATURE, spends=True),
)
