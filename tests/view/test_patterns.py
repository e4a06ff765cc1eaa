"""What a pattern's own text tells about what it matches."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions import compile_pattern
from rollbook.view.index.trees import IndexBounds, PathIndex
from rollbook.view.planning.patterns import keys_matching, literal_in, required_text, trigrams_of
from rollbook.view.planning.planning_budgets import PlanningBudget
from tests.language.regular_expressions.test_laws import PATTERNS

TEXTS = st.text(alphabet="abAB .é5\n-", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "options", "required"),
    [
        ("west", "", "west"),
        ("in eu-.*batch", "", "in eu-"),
        ("^ab?cde$", "", "cde"),
        ("abc+?d", "", "abc"),
        ("abcd*", "ms", "abc"),
        ("é+", "", "é"),
        ("", "", ""),
        (".*", "", ""),
        ("West", "i", "west"),
        ("west-é", "i", ""),
        ("é.eu", "i", "eu"),
        ("we st", "x", ""),
        ("(?i)west", "", ""),
        ("west|east", "", ""),
        (r"us\-east", "i", "us-east"),
        (r"no\.such\+place", "", "place"),
        (r"a\\\-b", "", "-b"),
        (r"us\-*east", "", "east"),
        (r"we\dst", "", ""),
        ("we{0}st", "", ""),
        ("[we]st", "", ""),
    ],
)
def test_the_text_that_a_match_needs(pattern: str, options: str, required: str) -> None:
    assert required_text(pattern, options) == required


@pytest.mark.parametrize(
    ("pattern", "options", "literal"),
    [
        ("west", "i", "west"),
        (r"us\-east\.1", "", "us-east.1"),
        (r"a\\b", "", r"a\b"),
        ("we.st", "", ""),
        ("^west", "", ""),
        (r"\d", "", ""),
        ("we st", "x", ""),
        ("a\nb", "", ""),
    ],
)
def test_a_pattern_that_is_nothing_but_a_text(pattern: str, options: str, literal: str) -> None:
    assert literal_in(pattern, options) == literal


@given(PATTERNS | st.text(alphabet="ab5?*+.^$", max_size=8), TEXTS, st.sampled_from(["", "i", "s", "m", "x"]))
def test_what_matches_holds_the_text(pattern: str, text: str, options: str) -> None:
    try:
        matches = compile_pattern(pattern, options).matches
    except LanguageRefused:
        assume(False)
    required = required_text(pattern, options)
    if "i" in options:
        assert required in text.lower() or not (matches(text) and text.isascii())
    else:
        assert required in text or not matches(text)


@given(st.lists(st.text(alphabet="kKſsS\u212aab-", min_size=1, max_size=4), min_size=1), st.text("ksSab-.", min_size=1))
def test_passing_over_blocks_finds_what_each_key_says(keys: list[str], pattern: str) -> None:
    node = PathIndex(("a",), IndexBounds())
    for number, key in enumerate(set(keys)):
        node.add(key, number)
    for options in ("", "i"):
        matches = compile_pattern(escaped := re.escape(pattern), options).matches
        assert sorted(keys_matching(escaped, options, node) or []) == sorted(filter(matches, set(keys)))


@given(TEXTS, TEXTS, TEXTS)
def test_a_part_has_no_other_trigrams_than_the_whole(before: str, part: str, after: str) -> None:
    wanted = trigrams_of(part.encode())
    assert trigrams_of((before + part + after).encode()) & wanted == wanted


def test_other_texts_mostly_have_other_trigrams() -> None:
    names = [f"cluster-{number:05}" for number in range(1000)]
    block = trigrams_of("\n".join(names).encode())
    assert sum(block & (wanted := trigrams_of(b"%05d-east" % number)) == wanted for number in range(1000)) < 10


def test_making_keys_ready_is_bounded_and_the_next_plan_goes_on_from_there() -> None:
    node = PathIndex(("a",), IndexBounds())
    for number in range(30_000):
        node.add(f"text {number}", number)

    def found() -> list[str] | None:
        return keys_matching("t 29999", "", node, effort=PlanningBudget(beside_left=0.0005))

    assert found() is None
    assert next(filter(None, (found() for _ in range(1000)))) == ["text 29999"]


def test_what_is_spent_beside_is_not_spent_on_planning() -> None:
    effort = PlanningBudget(deadline=1.0, clock=lambda: 1.5)
    assert effort.spent()
    effort.spent_beside(1.0)
    assert not effort.spent()
