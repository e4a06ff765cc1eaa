"""Threads that compute take turns: one at a time, brief jobs before long ones, and none for ever after others."""

import threading
import time
from collections.abc import Callable

from rollbook.turns import (
    BRIEF_IN_A_ROW_MAX,
    REST_SECONDS,
    REST_SECONDS_MAX,
    SLICE_SECONDS,
    Turns,
    computing,
    give_way,
    rest_after,
)


def compute(seconds: float) -> None:
    """Take CPU time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def run_together(*jobs: Callable[[], None]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_thread_computes_at_a_time() -> None:
    inside: list[int] = []

    def job() -> None:
        with computing():
            for _ in range(20):
                inside.append(1)
                compute(SLICE_SECONDS)
                assert inside == [1]
                inside.pop()
                give_way()

    run_together(*[job] * 4)
    assert not inside


def test_those_who_wait_have_their_turn_before_a_job_is_done() -> None:
    order: list[str] = []

    def job(name: str) -> Callable[[], None]:
        def run() -> None:
            with computing():
                for _ in range(10):
                    order.append(name)
                    compute(SLICE_SECONDS)
                    give_way()

        return run

    run_together(job("a"), job("b"))
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def test_brief_jobs_go_first_and_long_ones_have_every_fourth_turn() -> None:
    turns, order = Turns(), ""
    turns.take(is_long=True)
    waiting: list[threading.Thread] = []

    def wait(name: str, is_long: bool) -> None:
        nonlocal order
        turns.take(is_long=is_long)
        order += name
        turns.pass_on()

    for name in "LLBBBBB":
        waiting.append(threading.Thread(target=wait, args=(name, name == "L")))
        waiting[-1].start()
        while turns.waiting < len(waiting):
            time.sleep(0.001)
    turns.pass_on()
    for thread in waiting:
        thread.join()
    assert order == "B" * BRIEF_IN_A_ROW_MAX + "L" + "BB" + "L"


def test_a_step_that_could_not_be_interrupted_is_followed_by_a_rest_as_long() -> None:
    assert rest_after(SLICE_SECONDS) == REST_SECONDS
    assert rest_after(0.1) == 0.1 - SLICE_SECONDS
    assert rest_after(10) == REST_SECONDS_MAX


def test_a_block_within_a_block_waits_for_nobody() -> None:
    with computing(), computing():
        compute(2 * SLICE_SECONDS)
        give_way()


def test_a_thread_that_takes_no_turns_waits_for_nobody() -> None:
    entered, done = threading.Event(), threading.Event()

    def job() -> None:
        with computing():
            entered.set()
            done.wait()

    thread = threading.Thread(target=job)
    thread.start()
    entered.wait()
    compute(2 * SLICE_SECONDS)
    give_way()
    done.set()
    thread.join()
