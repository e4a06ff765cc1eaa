"""How a path finds values in a document, the way filters do: through arrays, all of them at once.

Theory: a path goes down objects by name. Where it meets an array with components left, it goes on in every element that
is an object; and where the next component is a number, also in the element of that index, which must be an object or an
array if components are left. An array at the end of the path is met element by element and then as itself, but an
element that an index named is met only as itself. Where a name leads nowhere in an object the path finds MISSING once.
In an array that holds no object, a name finds nothing at all, neither a value nor the absence of one; and so does an
index that the array does not have, or whose element is a scalar while components are left.

One rule: ``reached`` defines this; ``compile_path`` is the same in closures, made once per filter, and a test holds
the two equal.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from rollbook.documents.paths import Path, array_index
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.filters.operators import Test
from rollbook.limits import RequestBudget

Reached: TypeAlias = tuple[Maybe, int | None]

Found: TypeAlias = Callable[[Any], bool]


def reached(document: Document, path: Path, *, whole: bool) -> Iterator[Reached]:
    """Every value that ``path`` finds, with the index of the outermost array that was gone through on the way.

    The index is None where no array was, or only by an index in the path. ``whole``: an array at the end is one value.
    """
    value = document.get(path[0], MISSING)
    rest = path[1:]
    if isinstance(value, list):
        yield from _reached_at_end(value, whole) if not rest else _reached_in(value, rest, whole)
    elif not rest:
        yield value, None
    elif isinstance(value, dict):
        yield from reached(value, rest, whole=whole)
    else:
        yield MISSING, None


def _reached_at_end(array: list[Value], whole: bool) -> Iterator[Reached]:
    if not whole:
        yield from ((element, index) for index, element in enumerate(array))
    yield array, None


def _reached_in(array: list[Value], path: Path, whole: bool) -> Iterator[Reached]:
    if path == ("",):
        yield from _reached_at_end(array, whole)
        return
    for index, element in enumerate(array):
        if isinstance(element, dict):
            yield from ((value, index) for value, _ in reached(element, path, whole=whole))
    named = array_index(path[0])
    if named is not None and named < len(array):
        yield from _reached_by_index(array[named], path[1:], whole)


def _reached_by_index(element: Value, path: Path, whole: bool) -> Iterator[Reached]:
    if not path:
        yield element, None
    elif isinstance(element, dict):
        yield from reached(element, path, whole=whole)
    elif isinstance(element, list):
        yield from _reached_in(element, path, whole)


def compile_path(path: Path, test: Test, *, whole: bool = False, work: RequestBudget | None = None) -> Found:
    """Whether some value that ``path`` finds in a document passes ``test``. Built from the path's end."""
    in_object, in_array = _last_step(path[-1], test, test if whole else _in_elements(test, work), work)
    absent = test(MISSING)
    for name in reversed(path[:-1]):
        in_object, in_array = _step(name, in_object, in_array, absent, work)
    return in_object


def into_array(test: Test, work: RequestBudget | None = None) -> Test:
    """The test of a value or, when it is an array, of each of its elements and then of itself."""

    in_elements = _in_elements(test, work)
    return lambda value: in_elements(value) if value.__class__ is list else test(value)


def _in_elements(test: Test, work: RequestBudget | None) -> Found:
    def found(array: Any) -> bool:
        if work is not None:
            work.spend(len(array))
        for element in array:
            if test(element):
                return True
        return test(array)

    return found


def _last_step(name: str, test: Test, in_last_array: Found, work: RequestBudget | None) -> tuple[Found, Found]:
    def in_object(document: Any) -> bool:
        value = document.get(name, MISSING)
        return in_last_array(value) if value.__class__ is list else test(value)

    def at_index(array: Any, index: int) -> bool:
        return test(array[index])

    if not name:
        # A path that ends with a dot ends at an array, as it would without the dot.
        return in_object, in_last_array
    return in_object, _in_array(in_object, array_index(name), at_index, work)


def _step(
    name: str, in_next_object: Found, in_next_array: Found, absent: bool, work: RequestBudget | None
) -> tuple[Found, Found]:
    def in_object(document: Any) -> bool:
        value = document.get(name, MISSING)
        if value.__class__ is dict:
            return in_next_object(value)
        if value.__class__ is list:
            return in_next_array(value)
        return absent

    def at_index(array: Any, index: int) -> bool:
        element = array[index]
        if element.__class__ is dict:
            return in_next_object(element)
        return element.__class__ is list and in_next_array(element)

    return in_object, _in_array(in_object, array_index(name), at_index, work)


def _in_array(
    in_object: Found, index: int | None, at_index: Callable[[Any, int], bool], work: RequestBudget | None
) -> Found:
    def found(array: Any) -> bool:
        if work is not None:
            work.spend(len(array))
        for element in array:
            if element.__class__ is dict and in_object(element):
                return True
        return index is not None and index < len(array) and at_index(array, index)

    return found
