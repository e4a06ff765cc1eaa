"""New clusters that are decided as one: what they may weigh, and what is left of them."""

import orjson

from rollbook.clusters.acceptance import SchemaRules
from rollbook.errors import ClusterExists
from rollbook.journal.memory.journal import MemoryJournal
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.submissions import BATCH_BYTES_MAX, WriteResult
from rollbook.security.callers import Caller
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
