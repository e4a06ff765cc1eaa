"""Random patterns mean what Python's engine says, where it agrees with PCRE."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions import compile_pattern

ATOMS = st.sampled_from(["é", "[é-ü]", " ", r"\.", "-", r"[\w-]"]) | st.sampled_from(
    ["a", "b", "ab", ".", "^", "$", r"\n", r"\s", r"\S", r"\d", r"\w", r"\W", r"\b", r"\A", "[ab]", "[^a]", r"[\s\d]"]
)
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,1}?"])
PATTERNS = st.recursive(
    st.tuples(ATOMS, QUANTIFIERS).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:", "(?i:", "(?s:", "(?x:"]), inner, st.just(")"), QUANTIFIERS).map("".join),
    ),
    max_leaves=5,
)
TEXTS = st.text(alphabet="abAB \n.é5\x0b", max_size=6)


@given(PATTERNS, TEXTS, st.sampled_from(["", "i", "s", "x", "is"]))
def test_a_pattern_finds_what_a_backtracking_engine_finds(pattern, text, options):
    try:
        expected = re.compile(pattern, re.ASCII | flags(options))
    except re.error:
        assume(False)
    try:
        compiled = compile_pattern(pattern, options)
    except LanguageRefused:
        assume(False)
    # Python folds no letters beyond ASCII under re.ASCII, and tells a newline at the end from the end after "$".
    assume(("i" not in options and "(?i" not in pattern) or text.isascii())
    found = expected.search(text) is not None
    assert compiled.matches(text) is found
    assert (compiled.search(text) is not None) is found


def flags(options: str) -> int:
    return sum(getattr(re, letter.upper()) for letter in options)


@given(TEXTS, TEXTS)
def test_a_quoted_text_finds_itself(text, around):
    quoted = "".join(f"\\x{{{ord(character):x}}}" for character in text)
    match = compile_pattern(quoted).search(around + text + around)
    assert match is not None
    assert match.start == (around + text + around).find(text)
    assert match.end - match.start == len(text)
