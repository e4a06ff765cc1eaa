"""What a pattern's own text tells about what it matches."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions import compile_pattern
from rollbook.view.index.trees import IndexBounds, PathIndex
from rollbook.view.planning.patterns import keys_matching, required_text, trigrams_of
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
        ("west", "i", ""),
        ("we st", "x", ""),
        ("(?i)west", "", ""),
        ("west|east", "", ""),
        (r"we\.st", "", ""),
        ("we{0}st", "", ""),
        ("[we]st", "", ""),
    ],
)
def test_the_text_that_a_match_needs(pattern: str, options: str, required: str) -> None:
    assert required_text(pattern, options) == required


@given(PATTERNS | st.text(alphabet="ab5?*+.^$", max_size=8), TEXTS, st.sampled_from(["", "i", "s", "m", "x"]))
def test_what_matches_holds_the_text(pattern: str, text: str, options: str) -> None:
    try:
        matches = compile_pattern(pattern, options).matches
    except LanguageRefused:
        assume(False)
    assert not matches(text) or required_text(pattern, options) in text


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
