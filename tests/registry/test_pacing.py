"""Turns of the event loop: walks and readers share it, and everything else has it in between."""

import asyncio
from collections.abc import Callable

from rollbook.registry.feed.pacing import WOKEN_AT_ONCE, LoopTurns, TimeSlice

SECONDS_MAX = 20


class Loop:
    """Counts the iterations of the event loop."""

    def __init__(self) -> None:
        self.iterations = 0
        self._is_counting = True
        self._count()

    def _count(self) -> None:
        self.iterations += 1
        if self._is_counting:
            asyncio.get_running_loop().call_soon(self._count)

    def stop(self) -> None:
        """Count no more."""
        self._is_counting = False


async def at_iterations(begin: Callable[[Callable[[], None]], None], steps: int) -> list[int]:
    """In which iteration each of the steps was made that ``begin`` has made through what it is given."""
    loop, made, done = Loop(), list[int](), asyncio.Event()

    def step() -> None:
        made.append(loop.iterations)
        if len(made) == steps:
            done.set()

    begin(step)
    async with asyncio.timeout(SECONDS_MAX):
        await done.wait()
    loop.stop()
    return made


async def test_of_many_readers_a_few_go_on_in_one_iteration_of_the_loop() -> None:
    turns, readers = LoopTurns(), 100

    def begin(step: Callable[[], None]) -> None:
        for _ in range(readers):
            turns.soon(step)

    made = await at_iterations(begin, readers)
    assert max(map(made.count, made)) <= WOKEN_AT_ONCE


async def test_a_single_reader_goes_on_at_once() -> None:
    woken: list[int] = []
    LoopTurns().soon(lambda: woken.append(1))
    assert woken


async def test_of_many_walks_one_goes_on_in_one_iteration_of_the_loop() -> None:
    turns, walks, slices = LoopTurns(), 20, 3
    tasks: list[asyncio.Task[None]] = []

    def begin(step: Callable[[], None]) -> None:
        async def walk() -> None:
            pace = TimeSlice(turns)
            for _ in range(slices):
                await pace.rest()
                step()

        tasks.extend(asyncio.ensure_future(walk()) for _ in range(walks))

    made = await at_iterations(begin, walks * slices)
    assert len(set(made)) == len(made)


async def test_a_walk_that_is_given_up_while_it_waits_keeps_nobody_from_going_on() -> None:
    turns = LoopTurns()
    waiting = [asyncio.ensure_future(turns.next()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting[1:4]:
        task.cancel()
    async with asyncio.timeout(SECONDS_MAX):
        await waiting[4]


async def test_readers_and_walks_have_turns_beside_each_other() -> None:
    turns, order = LoopTurns(), list[str]()

    async def walk() -> None:
        await turns.next()
        order.append("walk")

    walking = asyncio.ensure_future(walk())
    await asyncio.sleep(0)
    for _ in range(10 * WOKEN_AT_ONCE):
        turns.soon(lambda: order.append("reader"))
    async with asyncio.timeout(SECONDS_MAX):
        await walking
        while len(order) <= 10 * WOKEN_AT_ONCE:
            await asyncio.sleep(0.001)
    assert order.index("walk") <= WOKEN_AT_ONCE
