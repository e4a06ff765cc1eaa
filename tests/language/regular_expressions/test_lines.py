"""Searching many texts at once gives what asking each of them gives."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions import compile_pattern
from rollbook.language.regular_expressions.lines import as_lines, texts_matching
from tests.language.regular_expressions.test_laws import PATTERNS

TEXTS = st.lists(st.text(alphabet="abAB .é5\x0b-", max_size=5), max_size=6)


@given(PATTERNS, TEXTS, st.sampled_from(["", "i", "s", "m", "is"]))
def test_a_pattern_finds_the_texts_that_it_matches(pattern: str, texts: list[str], options: str) -> None:
    try:
        matches = compile_pattern(pattern, options).matches
    except LanguageRefused:
        assume(False)
    assert found_in(pattern, options, texts) == [text for text in texts if matches(text)]


@pytest.mark.parametrize(
    ("pattern", "options", "texts", "found"),
    [
        ("^a", "", ["a", "ba", "ab"], ["a", "ab"]),
        ("a$", "", ["a", "ab", "ba"], ["a", "ba"]),
        ("^$", "", ["a", "", "b"], [""]),
        ("^$", "", ["", "", "b", ""], ["", "", ""]),
        (r"\\A", "", [r"\A", "A", "\\"], [r"\A"]),
        (r"a\s*b", "", ["a", "b", "a b"], ["a b"]),
        (r"a[^c]*", "", ["ba", "c", "ca"], ["ba", "ca"]),
        (r"\bb", "", ["ab", "b", "a-b"], ["b", "a-b"]),
        (r"\Bb", "", ["ab", "b", "bb"], ["ab", "bb"]),
        ("a$", "", ["a\n", "b", "ab"], ["a\n"]),
        ("É", "i", ["é", "e", "x"], ["é"]),
        ("c", "", ["a", "b", "c"], ["c"]),
        ("a[^c]*", "i", ["xA", "c"], ["xA"]),
        ("a", "", [], []),
    ],
)
def test_edges_are_those_of_each_text(pattern: str, options: str, texts: list[str], found: list[str]) -> None:
    assert found_in(pattern, options, texts) == found


@given(PATTERNS, TEXTS, st.sampled_from(["", "i", "s", "m", "is"]))
def test_a_search_in_pieces_finds_the_same(pattern: str, texts: list[str], options: str) -> None:
    try:
        matches = compile_pattern(pattern, options).matches
    except LanguageRefused:
        assume(False)
    # With a program this large, a piece is a line.
    costly = f"(?:{pattern})(?:|(?:[^z]{{40}}){{20}}z)"
    try:
        found = found_in(costly, options, texts)
    except LanguageRefused:
        assume(False)
    assert found == [text for text in texts if matches(text)]


def test_the_clock_is_looked_at_between_the_pieces_of_a_costly_search() -> None:
    texts = as_lines(["abc def ghi"] * 1000)
    cheap, costly = (list(texts_matching(pattern, "", texts)) for pattern in ("z", "(a?){100}(.*){100}z"))
    assert cheap == [None]
    assert len(costly) > 2
    assert set(costly) == {None}


def found_in(pattern: str, options: str, texts: list[str]) -> list[str | None]:
    return [text for text in texts_matching(pattern, options, as_lines(texts)) if text is not None]
