"""What waits for its readers is bounded over all requests, and small answers are never refused for it."""

from collections.abc import Iterator

import pytest

from rollbook.errors import Overloaded
from rollbook.registry.answer_bytes import FREE_BYTES, STEP_BYTES, AnswerBytes

MEGABYTE = 1024 * 1024


def parts(size_bytes: int) -> Iterator[bytes]:
    return (bytes(STEP_BYTES) for _ in range(size_bytes // STEP_BYTES))


def test_an_answer_is_held_until_it_is_freed() -> None:
    answers = AnswerBytes(4 * MEGABYTE)
    first = answers.gather(parts(2 * MEGABYTE))
    assert (len(first), answers.held_bytes) == (32, 2 * MEGABYTE - FREE_BYTES)
    second = answers.gather(parts(MEGABYTE))
    del first
    assert answers.held_bytes == MEGABYTE - FREE_BYTES
    del second
    assert answers.held_bytes == 0


def test_an_answer_that_does_not_fit_is_refused_and_leaves_nothing_behind() -> None:
    answers = AnswerBytes(4 * MEGABYTE)
    held = answers.gather(parts(3 * MEGABYTE))
    before = answers.held_bytes
    with pytest.raises(Overloaded, match="ask for less"):
        answers.gather(parts(2 * MEGABYTE))
    assert answers.held_bytes == before
    small = answers.gather(parts(FREE_BYTES))
    assert len(small) * STEP_BYTES == FREE_BYTES
    del held
    assert len(answers.gather(parts(2 * MEGABYTE))) == 32


def test_small_answers_do_not_count() -> None:
    answers = AnswerBytes(1)
    assert [len(answers.gather(parts(FREE_BYTES))) for _ in range(10)] == [FREE_BYTES // STEP_BYTES] * 10
    assert answers.held_bytes == 0
