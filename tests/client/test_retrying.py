"""When a call is sent again, and after how long."""

import pytest

from rollbook.client.calls import Answer
from rollbook.client.retrying import NEVER, Retries, retry_after_seconds

LONGEST = Retries(draw=lambda: 1.0)


def answer(status: int, *, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, "", [(name.replace("_", "-"), value) for name, value in headers.items()], body)


def test_pauses_grow_up_to_the_longest_and_end():
    pauses = [LONGEST.pause_after_failure(attempt, "not sent", repeatable=False) for attempt in (1, 2, 3, 4)]
    assert pauses == [0.1, 0.2, 0.4, None]
    patient = Retries(attempts=99, draw=lambda: 1.0)
    assert patient.pause_after_failure(50, "not sent", repeatable=False) == 5.0
    assert Retries(draw=lambda: 0.5).pause_after_failure(1, "not sent", repeatable=False) == 0.05


def test_a_lost_answer_is_asked_for_again_only_where_that_is_safe():
    assert LONGEST.pause_after_failure(1, "no answer", repeatable=True) == 0.1
    assert LONGEST.pause_after_failure(1, "no answer", repeatable=False) is None


@pytest.mark.parametrize("status", [200, 404, 409, 412, 422, 500, 502])
def test_other_answers_stand(status):
    assert LONGEST.pause_after_answer(1, answer(status), 0.0, repeatable=True) is None


def test_a_registry_that_asks_to_wait_is_waited_for_within_reason():
    assert LONGEST.pause_after_answer(1, answer(503), 0.0, repeatable=False) == 0.1
    assert LONGEST.pause_after_answer(1, answer(429, retry_after="7"), 0.0, repeatable=False) == 7.0
    assert LONGEST.pause_after_answer(1, answer(503, retry_after="31"), 0.0, repeatable=False) is None


def test_a_write_whose_outcome_is_unknown_is_not_sent_again():
    unknown = answer(503, body=b'{"code":"outcome-unknown"}')
    assert LONGEST.pause_after_answer(1, unknown, 0.0, repeatable=False) is None
    assert LONGEST.pause_after_answer(1, unknown, 0.0, repeatable=True) == 0.1


def test_never_is_once():
    assert NEVER.pause_after_failure(1, "not sent", repeatable=True) is None
    assert NEVER.pause_after_answer(1, answer(503), 0.0, repeatable=True) is None


def test_retry_after_is_a_number_or_a_date():
    assert retry_after_seconds("12", 0.0) == 12.0
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 20.0) == 40.0
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 90.0) == 0.0
    assert retry_after_seconds("soon", 0.0) is None
    assert retry_after_seconds(None, 0.0) is None
