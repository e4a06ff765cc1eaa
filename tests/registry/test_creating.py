"""New clusters that are decided as one: what they may weigh, and what is left of them."""

import orjson

from rollbook.clusters.acceptance import SchemaRules
from rollbook.errors import ClusterExists
from rollbook.journal.memory.journal import MemoryJournal
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.publishing import BYTES_AT_ONCE
from rollbook.registry.writing.submissions import BATCH_BYTES_MAX, WriteResult
from rollbook.security.callers import Caller
from rollbook.steps import STEPS, Steps
from tests.examples import cluster
from tests.registry.committers import creation, process_on


def replacement(id: str, **fields: object) -> Create:
    """The command that puts a cluster where one may be."""
    return parse_creation(cluster(id, **fields), rules=SchemaRules(), limits=DEFAULT_LIMITS, replace=True)


async def test_what_replaces_large_documents_has_as_many_batches_as_these_need() -> None:
    ids = [str(number) for number in range(5)]
    async with process_on(MemoryJournal()) as process:
        for id in ids:
            await process.write(creation(id, text="x" * (BATCH_BYTES_MAX // 2 - 100_000)))
        before = process.committer.counts.commits
        commands = [replacement(id, text="less") for id in ids]
        answer = await process.committer.create_each(Caller.FULL, commands)
        assert process.committer.counts.commits - before == 3
        assert [each.revision for each in answer.each if isinstance(each, WriteResult)] == list(range(6, 11))
        assert [orjson.loads(entry.body)["text"] for entry in process.view.entries()] == ["less"] * 5


async def test_refusals_hold_nothing_of_the_batch_in_which_they_were_decided() -> None:
    async with process_on(MemoryJournal()) as process:
        commands = [parse_creation(cluster("twice"), rules=SchemaRules(), limits=DEFAULT_LIMITS)] * 2
        _, refused = (await process.committer.create_each(Caller.FULL, commands)).each
        assert isinstance(refused, ClusterExists)
        assert refused.__traceback__ is None


async def test_a_change_that_is_visible_has_its_trace_also_while_its_batch_is_published_in_parts() -> None:
    async with process_on(MemoryJournal()) as process:
        carrier = {"traceparent": "00-1-2-01"}
        token = STEPS.set(Steps(carrier))
        commands = [creation(str(number), text="x" * BYTES_AT_ONCE) for number in range(3)]
        answer = process.committer.create_each(Caller.FULL, [each for each in commands if isinstance(each, Create)])
        STEPS.reset(token)
        seen = []
        for revision in (1, 2, 3):
            await process.recent.reached(revision)
            seen.append((process.view.revision, process.recent.traces.of(revision), answer.done()))
        assert [(at, traced) for at, traced, _ in seen] == [(at, carrier) for at in (1, 2, 3)]
        assert not seen[0][2], "nothing is answered before all of it is visible"
