"""Operators on whole arrays: size, elements, parts, order, joining.

One rule: the arrays they are given stay as they are; a result is a new array whose elements are the same values.
"""

from collections.abc import Callable

from rollbook.documents.ordering import sort_key
from rollbook.documents.values import INT32_MAX, MISSING, Maybe, Value, type_name
from rollbook.language.expressions.arguments import array_or_null, whole_number
from rollbook.language.expressions.growth import make_elements, walk
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Function, refused
from rollbook.limits import RequestBudget


def size(array: Maybe) -> Maybe:
    """The number of elements of an array."""
    if not isinstance(array, list):
        raise refused(17124, f"needs an array, not {type_name(array)}")
    return len(array)


def is_array(value: Maybe) -> Maybe:
    """Whether a value is an array."""
    return isinstance(value, list)


def element_at(array: Maybe, index: Maybe) -> Maybe:
    """The element at an index, from the end when negative; nothing beyond the ends, null for null or missing."""
    if is_null(array) or is_null(index):
        return None
    if not isinstance(array, list):
        raise refused(28689, f"needs an array first, not {type_name(array)}")
    position = whole_number(index, "index", not_a_number=28690, not_whole=28691)
    return array[position] if -len(array) <= position < len(array) else MISSING


def first_element(value: Maybe) -> Maybe:
    """The first element of an array; nothing when it is empty, null for null or missing."""
    array = array_or_null(value, 28689)
    return None if array is None else array[0] if array else MISSING


def last_element(value: Maybe) -> Maybe:
    """The last element of an array; nothing when it is empty, null for null or missing."""
    array = array_or_null(value, 28689)
    return None if array is None else array[-1] if array else MISSING


def contains(work: RequestBudget, value: Maybe, array: Maybe) -> Maybe:
    """Whether a value is an element of an array."""
    if not isinstance(array, list):
        raise refused(40081, f"needs an array to look in, not {type_name(array)}")
    return _position(work, array, value, 0, len(array)) >= 0


def element_index(work: RequestBudget, array: Maybe, value: Maybe, start: Maybe = 0, end: Maybe = INT32_MAX) -> Maybe:
    """The index at which a value first stands in an array, or -1; null when the array is null or missing."""
    elements = array_or_null(array, 40090)
    if elements is None:
        return None
    return _position(work, elements, value, _bound(start, "start"), min(_bound(end, "end"), len(elements)))


def _bound(value: Maybe, what: str) -> int:
    number = whole_number(value, what, not_a_number=9711600, not_whole=9711600)
    if number < 0:
        raise refused(9711601, f"needs a {what} that is not negative, not {number}")
    return number


def _position(work: RequestBudget, array: list[Value], value: Maybe, start: int, end: int) -> int:
    work.spend(1 + len(array))
    if isinstance(value, str):
        try:
            return array.index(value, start, end)
        except ValueError:
            return -1
    is_equal = _equality(work, array, value)
    return next((index for index in range(start, end) if is_equal(array[index])), -1)


def _equality(work: RequestBudget, array: list[Value], value: Maybe) -> Callable[[Value], bool]:
    """The test whether an element of ``array`` equals ``value``, quick where the value is no array or object."""
    if value is None or isinstance(value, bool):
        return lambda element: element is value
    if isinstance(value, (int, float)) and value == value:
        return lambda element: element == value and not isinstance(element, bool)
    walk(work, array)
    walk(work, value)
    wanted = sort_key(value)
    return lambda element: sort_key(element) == wanted


def concatenated(work: RequestBudget, *values: Maybe) -> Maybe:
    """The arrays joined into one; null as soon as one of them is null or missing."""
    elements: list[Value] = []
    for value in values:
        array = array_or_null(value, 28664)
        if array is None:
            return None
        make_elements(work, len(elements) + len(array))
        elements += array
    return elements


def part(work: RequestBudget, array: Maybe, first: Maybe, *second: Maybe) -> Maybe:
    """The first N elements of an array, the last when N is negative; or N elements from an index on."""
    if is_null(array) or is_null(first):
        return None
    if not isinstance(array, list):
        raise refused(28724, f"needs an array first, not {type_name(array)}")
    number = whole_number(first, "second argument", not_a_number=28725, not_whole=28726)
    if not second:
        return _elements(work, array, min(number, 0), abs(number))
    if is_null(second[0]):
        return None
    count = whole_number(second[0], "third argument", not_a_number=28727, not_whole=28728)
    if count <= 0:
        raise refused(28729, f"needs a third argument that is positive, not {count}")
    return _elements(work, array, number, count)


def _elements(work: RequestBudget, array: list[Value], index: int, count: int) -> list[Value]:
    """N elements from an index on, which counts from the end when it is negative."""
    start = index if index >= 0 else max(len(array) + index, 0)
    end = min(start + count, len(array))
    make_elements(work, max(end - start, 0))
    return array[start:end]


def numbers_between(work: RequestBudget, start: Maybe, end: Maybe, step: Maybe = 1) -> Maybe:
    """The integers from a start up to an end, without it, by a step that may be negative."""
    first = whole_number(start, "start", not_a_number=34443, not_whole=34444)
    last = whole_number(end, "end", not_a_number=34445, not_whole=34446)
    by = whole_number(step, "step", not_a_number=34447, not_whole=34448)
    if by == 0:
        raise refused(34449, "needs a step that is not 0")
    numbers = range(first, last, by)
    make_elements(work, len(numbers))
    return list(numbers)


def reversed_array(work: RequestBudget, value: Maybe) -> Maybe:
    """The elements of an array in the opposite order; null for null or missing."""
    array = array_or_null(value, 34435)
    if array is None:
        return None
    make_elements(work, len(array))
    return array[::-1]


OPERATORS = (
    Function("$size", size),
    Function("$isArray", is_array),
    Function("$arrayElemAt", element_at, (2, 2)),
    Function("$first", first_element),
    Function("$last", last_element),
    Function("$in", contains, (2, 2), spends=True),
    Function("$indexOfArray", element_index, (2, 4), spends=True),
    Function("$concatArrays", concatenated, (0, None), spends=True),
    Function("$slice", part, (2, 3), spends=True),
    Function("$range", numbers_between, (2, 3), spends=True),
    Function("$reverseArray", reversed_array, spends=True),
)
