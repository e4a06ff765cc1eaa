"""Random fleets for lists and tables: few ids, fields of mixed types, and random changes of them."""

from random import Random
from typing import Any

from rollbook.registry.registry import Registry
from tests.registry.writing import create, delete, update

Json = Any

SCALARS: tuple[Json, ...] = (None, True, False, 0, 1, 2.5, -3, "", "x", "b", "long " * 40)
REGIONS = ("us-west-2", "us-east-1", "eu", "")
MODELS = ("NVIDIA A100", "A100", "NVIDIA H100", "T4")


def odd(random: Random, depth: int = 2) -> Json:
    """Any JSON of few values."""
    shape = random.random()
    if depth == 0 or shape < 0.6:
        return random.choice(SCALARS)
    if shape < 0.8:
        return [odd(random, depth - 1) for _ in range(random.randint(0, 3))]
    return {name: odd(random, depth - 1) for name in random.sample("abc", random.randint(0, 2))}


def fields(random: Random) -> dict[str, Json]:
    """Fields of a cluster, some documented and some odd; some are missing."""
    made: dict[str, Json] = {"regionId": random.choice(REGIONS), "tags": random.sample(("ml", "gpu", "a"), 2)}
    if random.random() < 0.7:
        made["reputation"] = random.randint(0, 3)
    for name in ("a", "b"):
        if random.random() < 0.7:
            made[name] = odd(random)
    return made


async def change(registry: Registry, random: Random, names: int) -> None:
    """A random cluster is created, changed or deleted."""
    id = f"c{random.randrange(names)}"
    if registry.view.entry(id) is None:
        await create(registry, id, **fields(random))
    elif random.random() < 0.3:
        await delete(registry, id)
    else:
        await update(registry, id, {"$set": fields(random)})
