"""Laws of projections, on documents of any shape."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from tests.language.projections.showing import shown

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x"])
OBJECTS = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=3), lambda inner: st.dictionaries(NAMES, inner | SCALARS)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
).map(lambda value: value if isinstance(value, dict) else {"a": value})
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)


def merged(left, right):
    """Both objects in one, their inner objects merged too."""
    both = {**left, **right}
    for name in left.keys() & right.keys():
        if isinstance(left[name], dict) and isinstance(right[name], dict):
            both[name] = merged(left[name], right[name])
    return both


@given(OBJECTS, PATHS)
def test_through_objects_what_is_included_and_what_is_excluded_make_the_whole(document, path):
    assert merged(shown(document, {path: 1}), shown(document, {path: 0})) == document


@given(DOCUMENTS, PATHS)
def test_a_projection_of_a_projection_is_the_same(document, path):
    for flag in (0, 1):
        once = shown(document, {path: flag})
        assert shown(once, {path: flag}) == once


@given(DOCUMENTS, PATHS)
def test_a_path_is_the_same_as_nested_objects(document, path):
    for flag in (0, 1, "new", "$b"):
        nested = reduce(lambda inner, name: {name: inner}, reversed(path.split(".")), flag)
        assert shown(document, nested) == shown(document, {path: flag})


@given(DOCUMENTS, PATHS, st.integers(0, 3))
def test_what_is_cut_off_and_what_is_left_make_the_whole_array(document, path, count):
    first = shown(document, {path: {"$slice": count}})
    rest = shown(document, {path: {"$slice": [count, 2**31 - 1]}})
    assert joined(first, rest) == joined(document, shown(document, {path: {"$slice": 0}}))


def joined(left, right):
    """All scalars of both, in any order."""
    return sorted([*scalars(left), *scalars(right)])


def scalars(value):
    if isinstance(value, dict):
        return [scalar for member in value.values() for scalar in scalars(member)]
    if isinstance(value, list):
        return [scalar for element in value for scalar in scalars(element)]
    return [repr(value)]
