"""Groups with sums from the index are what ``$group`` gives, in the same order."""

import asyncio
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.assembly import open_registry
from rollbook.documents.ordering import sort_key
from rollbook.language.pipelines import parse_pipeline, run_pipeline
from rollbook.limits import RequestBudget
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.reading import grouping
from rollbook.registry.reading.plan_steps import planned_aggregation
from rollbook.registry.reading.requests import parse_aggregation
from rollbook.registry.registry import Registry
from rollbook.settings import Settings
from tests.examples import node
from tests.listing.fleets import MODELS, change
from tests.registry.writing import TESTER, create, update

Json = Any

KEYS = ("$regionId", None, "$tags", "$a", "$reputation", "$made.up", "$clusterMetadata.owner")
REGISTRY_FIELDS = ("liveness", "flapping", "protected", "revision", "updatedAt", "observedAt", "nodes")
REGISTRY_KEYS = tuple(f"$_registry.{name}" for name in REGISTRY_FIELDS)
PATHS = ("$_registry.revision", "$reputation", "$gpus.count", "$a", "$memory", "$nodes.nodeData.memory", "$made.up")
NODE_KEYS = ("$nodes.nodeData.gpus.modelNames", "$nodes.nodeData.kind", None, "$regionId", "$nodes.nodeData.id")
NODE_PATHS = ("$nodes.nodeData.gpus.count", "$nodes.nodeData.memory", "$nodes.nodeData.kind", "$reputation")
FILTERS: tuple[Json, ...] = (
    {"regionId": {"$ne": "eu"}},
    {"_registry.liveness": "alive"},
    {"_registry.revision": {"$gt": 20}, "reputation": {"$exists": True}},
)
OPERATORS = ("$sum", "$avg", "$min", "$max")
UNWINDS: tuple[list[str], ...] = (
    ["$nodes.nodeData"],
    ["$nodes.nodeData", "$nodes.nodeData.gpus.modelNames"],
    ["$tags"],
)


def group(random: Random, keys: tuple[str | None, ...], paths: tuple[str, ...]) -> Json:
    fields: dict[str, Json] = {"n": {"$sum": 1}} if random.random() < 0.5 else {}
    for place in range(random.randint(1, 3)):
        fields[f"f{place}"] = {random.choice(OPERATORS): random.choice(paths)}
    key = random.choice(keys)
    if random.random() < 0.2:
        key = {"one": key or "$status", "other": random.choice(("$regionId", "$status", "$b", "$_registry.liveness"))}  # type: ignore[assignment]
    return {"$group": {"_id": key, **fields}}


def pipeline_of(random: Random) -> list[Json]:
    match = [{"$match": random.choice(FILTERS)}] if random.random() < 0.5 else []
    rest = [{"$sort": {"_id": 1}}] if random.random() < 0.3 else []
    if random.random() < 0.5:
        return [*match, group(random, random.choice((KEYS, REGISTRY_KEYS)), PATHS), *rest]
    unwinds = [{"$unwind": path} for path in random.choice(UNWINDS)]
    return [*match, *unwinds, group(random, NODE_KEYS, NODE_PATHS), *rest]


def odd_node(random: Random, id: str) -> Json:
    made = node(id, gpus=random.randint(0, 3), memory=random.choice((64, 128)))
    made["gpus"]["modelNames"] = random.choices(MODELS, k=random.randint(0, 2))
    if random.random() < 0.5:
        made["kind"] = random.choice(("x", "y", None, 5)) if random.random() < 0.3 else "x"
    return made


async def furnish(registry: Registry, random: Random) -> None:
    for _ in range(25):
        await change(registry, random, 10)
    for entry in list(registry.view.entries()):
        nodes = [odd_node(random, f"n{place}") for place in range(random.randint(0, 3))]
        await update(registry, entry.id, {"$set": {"nodes.nodeData": nodes}})
        if random.random() < 0.5:
            await registry.liveness.beat(TESTER, entry.id, parse_heartbeat({"ttlSeconds": 3_600}))


async def check(registry: Registry, stages: list[Json]) -> bool:
    """Compare both ways; whether the index gave the groups."""
    asked = parse_aggregation(stages, limits=registry.limits)
    found = [orjson.loads(body) for body in await registry.reader.fleet(TESTER).aggregate(asked)]
    fleet = registry.reader.fleet(TESTER)
    documents = [fleet.facts.document_of(entry) for entry in registry.view.entries()]
    expected = run_pipeline(parse_pipeline(stages), documents, work=RequestBudget())
    assert sort_key(found) == sort_key(expected), stages
    plan = planned_aggregation(fleet.facts, registry.view, asked)
    return await fleet._grouped(registry.view, asked, plan, fleet.facts) is not None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_sums_from_the_index_are_what_the_group_gives(seed: int) -> None:
    random = Random(seed)

    async def make(directory: Path) -> None:
        async with open_registry(Settings(data=directory, schema="lenient")) as registry:
            await furnish(registry, random)
            asked = [pipeline_of(random) for _ in range(8)]
            for stages in asked:
                await check(registry, stages)
            for _ in range(4):
                await change(registry, random, 10)
            for stages in asked:
                await check(registry, stages)

    with TemporaryDirectory() as directory:
        asyncio.run(make(Path(directory)))


async def test_a_value_of_a_cluster_left_out_does_not_matter(tmp_path: Path) -> None:
    async with open_registry(Settings(data=tmp_path, schema="lenient")) as registry:
        await create(registry, "one", regionId="us", a=1)
        await create(registry, "two", regionId="eu", a="x")
        for operator in OPERATORS:
            for id in (None, "$regionId", "$a"):
                stages = [{"$match": {"regionId": {"$ne": "eu"}}}, {"$group": {"_id": id, "f": {operator: "$a"}}}]
                await check(registry, stages)


@pytest.mark.parametrize("at_once", [0, 1_000])
@pytest.mark.parametrize(
    "stages",
    [
        [{"$group": {"_id": "$regionId", "n": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}}}],
        [{"$group": {"_id": {"r": "$regionId", "s": "$status"}, "n": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}}}],
        [{"$group": {"_id": None, "least": {"$min": "$memory"}, "most": {"$max": "$memory"}}}],
        [{"$group": {"_id": "$_registry.liveness", "n": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}}}],
        [{"$group": {"_id": {"r": "$regionId", "l": "$_registry.liveness"}, "n": {"$count": {}}}}],
        [{"$match": {"_registry.liveness": "unknown"}}, {"$group": {"_id": "$_registry.protected"}}],
        [{"$group": {"_id": "$regionId", "mean": {"$avg": "$gpus.memory"}}}, {"$sort": {"mean": -1}}, {"$limit": 1}],
    ],
)
async def test_the_index_gives_what_people_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: list[Json], at_once: int
) -> None:
    monkeypatch.setattr(grouping, "AT_ONCE_MAX", at_once)
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for number in range(100):
            await create(
                registry,
                f"c{number}",
                regionId=f"r{number % 3}",
                status=f"s{number % 5}",
                nodes={"nodeData": [node(gpus=number)]},
            )
        assert await check(registry, stages)


async def test_gpu_models_are_added_up_node_by_node(tmp_path: Path) -> None:
    unwound = [{"$unwind": "$nodes.nodeData"}, {"$unwind": "$nodes.nodeData.gpus.modelNames"}]
    fields = {"nodes": {"$sum": 1}, "gpus": {"$sum": "$nodes.nodeData.gpus.count"}}
    stages = [*unwound, {"$group": {"_id": "$nodes.nodeData.gpus.modelNames", **fields}}]
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for number in range(30):
            nodes = [node(f"n{at}", gpus=at, model=f"M{(number + at) % 4}") for at in range(number % 5)]
            await create(registry, f"c{number}", nodes={"nodeData": nodes})
        assert await check(registry, stages)
        await update(registry, "c4", {"$set": {"nodes.nodeData.0.gpus.modelNames": ["M1", "M1"]}})
        assert not await check(registry, stages), "a text that an array holds twice counts twice"
