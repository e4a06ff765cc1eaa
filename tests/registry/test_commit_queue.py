"""The queue of commits: shared by callers, urgent commands first, and nothing lost or reordered."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rollbook.journal.memory.journal import MemoryJournal
from rollbook.registry.writing.commands import Delete
from rollbook.registry.writing.commit_queue import CommitQueue
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.submissions import Creations, Submission, Together, Write
from rollbook.security.callers import Caller
from tests.registry.committers import creation, process_on


def submission(caller: str, id: str, verb: str = "delete") -> Submission:
    """A command of a caller. Nothing here carries it out."""
    command = Delete(id) if verb == "delete" else EditNodes(id, None, None)
    return Submission(Write(command, Caller(caller, key=caller)), asyncio.Future(loop=LOOP), 0.0)


LOOP = asyncio.new_event_loop()
PUTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["delete", "nodes"])), max_size=60)


def test_a_caller_with_one_command_waits_for_one_batch_of_others() -> None:
    queue = CommitQueue()
    for number in range(100):
        queue.put(submission("flood", str(number)))
    queue.put(submission("other", "x"))
    batch = queue.take(8)
    assert [each.write.caller.name for each in batch] == ["flood", "other", "flood"]
    assert len(queue.take(8)) == 8, "nobody else waits"


def test_nodes_and_heartbeats_go_first_and_leave_room_for_others() -> None:
    queue = CommitQueue()
    for number in range(10):
        queue.put(submission("flood", str(number)))
    for number in range(10):
        queue.put(submission(f"controller-{number}", "west", "nodes"))
    verbs = [each.write.command.verb for each in queue.take(8)]
    assert verbs == ["nodes"] * 4 + ["delete"] * 2


def test_what_is_done_together_has_a_batch_of_its_own_and_lets_others_between() -> None:
    queue = CommitQueue()
    sets = [Together([], asyncio.Future(loop=LOOP), 0.0) for _ in range(2)]
    for each in (sets[0], submission("a", "1"), sets[1], submission("b", "2")):
        queue.put(each)
    assert queue.take(8) == [sets[0]]
    assert [each.write.command.id for each in queue.take(8)] == ["1", "2"]
    assert queue.take(8) == [sets[1]]
    assert len(queue) == 0


def test_new_clusters_with_one_answer_share_a_batch_as_far_as_there_is_room() -> None:
    queue = CommitQueue()
    sets = [creations(count) for count in (3, 4, 2, 1)]
    for each in (*sets[:3], submission("a", "1"), sets[3]):
        queue.put(each)
    assert len(queue) == 11
    assert queue.take(8) == sets[:2]
    assert [each.write.command.id for each in queue.take(8)] == ["1"]
    assert queue.take(8) == sets[2:]
    assert len(queue) == 0


def creations(count: int) -> Creations:
    """As many new clusters, that nobody carries out."""
    commands = [creation(str(number)) for number in range(count)]
    return Creations(commands, 0, Caller("a"), asyncio.Future(loop=LOOP))


def test_what_has_waited_before_comes_first() -> None:
    queue = CommitQueue()
    queue.put(submission("a", "1", "nodes"))
    queue.put_back([submission("b", "2"), submission("b", "3")])
    assert [each.write.command.id for each in queue] == ["2", "3", "1"]
    assert [each.write.command.id for each in queue.take(8)] == ["2", "3", "1"]


@given(PUTS, st.integers(min_value=4, max_value=16))
def test_nothing_is_lost_a_lane_of_a_caller_keeps_its_order_and_no_caller_has_more_than_its_share(puts, most) -> None:
    queue = CommitQueue()
    for number, (caller, verb) in enumerate(puts):
        queue.put(submission(caller, str(number), verb))
    taken: list[Submission] = []
    while len(queue):
        waiting = {each.write.caller.name for each in queue}
        batch = queue.take(most)
        assert 0 < len(batch) <= most
        for caller, count in Counter(each.write.caller.name for each in batch).items():
            assert len(waiting) == 1 or count <= most // 4, caller
        taken += batch
    assert sorted(int(each.write.command.id) for each in taken) == list(range(len(puts)))
    for lane in {(each.write.caller.name, each.write.command.verb) for each in taken}:
        numbers = [
            int(each.write.command.id) for each in taken if (each.write.caller.name, each.write.command.verb) == lane
        ]
        assert numbers == sorted(numbers)


async def test_one_write_does_not_wait_for_all_that_another_caller_has_sent() -> None:
    async with process_on(MemoryJournal()) as process:
        flood = [
            process.committer.submit(Caller("flood", key="flood"), creation(f"flood-{number}")) for number in range(900)
        ]
        await process.committer.submit(Caller("other", key="other"), creation("other"))
        assert sum(each.done() for each in flood) < 600
        await asyncio.gather(*flood)
