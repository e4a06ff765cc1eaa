"""The list of deliberate differences is in order, with the corpus at hand or without."""

from collections import Counter

from tests.conformance.corpus import RUNNERS, deliberate


def test_a_deliberate_difference_names_its_runner_and_its_reason() -> None:
    assert [case for case in deliberate() if case.runner not in RUNNERS or len(case.reason.split()) < 3] == []


def test_no_case_is_listed_twice() -> None:
    assert [id for id, times in Counter(case.id for case in deliberate()).items() if times > 1] == []


def test_the_list_is_sorted_by_id() -> None:
    ids = [case.id for case in deliberate()]
    assert ids == sorted(ids)
