"""New clusters that have one answer: submitted in sets, each of which one batch can hold.

One rule: a set weighs at most what a batch may, with the documents that stand where it creates, unless it has one
command. So what one request replaces takes no more memory, and no longer to decide, than other batches.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from rollbook.registry.writing.commands import Command, Create
from rollbook.registry.writing.submissions import BATCH_BYTES_MAX, BATCH_COMMANDS_MAX, Creations, Outcome, Outcomes
from rollbook.security.callers import Caller
from rollbook.steps import STEPS
from rollbook.view.views import View


def sets_of(
    creations: Sequence[Create],
    view: View,
    *,
    caller: Caller,
    reason: str | None,
    guarded: Callable[[Create, Caller], Command],
) -> Sequence[Creations]:
    """The sets in which a caller's new clusters are submitted, in order."""
    loop, steps = asyncio.get_running_loop(), STEPS.get()
    return [
        Creations([guarded(each, caller) for each in part], size_bytes, caller, loop.create_future(), reason, steps)
        for part, size_bytes in _parts(creations, view)
    ]


def answer_of(sets: Sequence[Creations]) -> "asyncio.Future[Outcomes]":
    """The outcomes of all sets: of one that has none, its failure stands for each of its commands."""
    return sets[0].answer if len(sets) == 1 else asyncio.ensure_future(_together(sets))


async def _together(sets: Sequence[Creations]) -> Outcomes:
    outcomes: list[Outcome] = []
    for each in sets:
        try:
            outcomes += (await each.answer).each
        except Exception as failure:
            outcomes += [failure] * len(each.commands)
    return Outcomes(outcomes)


def _parts(creations: Sequence[Create], view: View) -> Iterator[tuple[Sequence[Create], int]]:
    """The creations in parts that one batch can hold, with the bytes of their documents before and after."""
    part: list[Create] = []
    part_bytes = 0
    for creation in creations:
        stands = view.entry(creation.id)
        size_bytes = len(creation.body) + (0 if stands is None else stands.size_bytes)
        if part and (len(part) == BATCH_COMMANDS_MAX or part_bytes + size_bytes > BATCH_BYTES_MAX):
            yield part, part_bytes
            part, part_bytes = [], 0
        part.append(creation)
        part_bytes += size_bytes
    yield part, part_bytes
