"""Random values and documents: few names and few values, so that they meet, in every shape."""

from typing import Any

from hypothesis import strategies as st

SCALARS = st.sampled_from([None, False, True, 0, 1, 1.0, 2, 2.5, -1, "", "a", "ab", "1"])

NAMES = st.sampled_from(["a", "b", "0", "1", ""])

VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)

DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)
