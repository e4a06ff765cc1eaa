"""The clusters of a demo: made, found again and removed by a mark that only they have.

One rule: what has no mark was not made here, and is neither changed nor removed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rollbook.cli.demo.generating import Document, cluster
from rollbook.client.replies import refusal_of

if TYPE_CHECKING:
    import asyncio

    from rollbook.client import AsyncClient

PREFIX = "demo-"
MARK = "demoSeed"
MARK_PATH = f"clusterMetadata.additionalInfo.{MARK}"
REASON = "rollbook demo"
CREATED_AT_ONCE = 100
DELETED_AT_ONCE = 500
NOT_FOUND, CONFLICT = 404, 409
STATUSES = {"degraded": "draining", "offline": "maintenance"}
"""Statuses that the generator draws and the console has no colour for, by those that stand for them here."""

Json = dict[str, Any]


class Removal(Struct, frozen=True):
    """How many clusters were removed, and those that were refused: their ids with the reasons."""

    removed: int
    refused: dict[str, str]


def marked_cluster(number: int, *, seed: int) -> Document:
    """Cluster ``number`` of a seed, with an id that begins with ``demo-`` and the mark."""
    document = cluster(number, seed=seed)
    document["id"] = PREFIX + document["id"]
    document["status"] = STATUSES.get(document["status"], document["status"])
    document["clusterMetadata"]["additionalInfo"][MARK] = seed
    return document


def marked_filter(seed: int | None = None) -> Json:
    """A filter for the clusters of a demo: of one seed, or of any."""
    return {MARK_PATH: {"$exists": True} if seed is None else seed, "id": {"$regex": f"^{PREFIX}"}}


async def ids_of(client: "AsyncClient", seed: int | None = None) -> list[str]:
    """The ids of the clusters of a demo that are there, in their order."""
    found = client.clusters.query(marked_filter(seed), projection={"id": 1}, sort={"id": 1})
    return [str(each["id"]) async for each in found]


async def make_clusters(
    client: "AsyncClient", count: int, *, seed: int, stop: "asyncio.Event", advance: Callable[[int, int], None]
) -> list[str]:
    """Create the first ``count`` clusters of a seed, except those that are there; the ids of all that there are then.

    Ends early when ``stop`` is set. Refuses (RegistryError) what the registry refuses, other than ids that are taken.
    """
    there = set(await ids_of(client, seed))
    missing = (each for each in (marked_cluster(n, seed=seed) for n in range(count)) if each["id"] not in there)
    for batch in _batches(missing, CREATED_AT_ONCE):
        if stop.is_set():
            break
        results = await client.clusters.bulk([{"op": "create", "document": each} for each in batch], reason=REASON)
        for result in results:
            if result["status"] >= 400 and result["status"] != CONFLICT:
                raise refusal_of(result)
        advance(len(batch), len(batch))
    return await ids_of(client, seed)


async def remove_clusters(client: "AsyncClient", seed: int | None = None) -> Removal:
    """Delete the clusters of a demo: of one seed, or of any. Clusters that are gone already count as removed."""
    removed, refused = 0, dict[str, str]()
    for batch in _batches(await ids_of(client, seed), DELETED_AT_ONCE):
        results = await client.clusters.bulk([{"op": "delete", "id": each} for each in batch], reason=REASON)
        for id, result in zip(batch, results, strict=True):
            if result["status"] < 400 or result["status"] == NOT_FOUND:
                removed += 1
            else:
                refused[id] = str(result.get("detail", result["status"]))
    return Removal(removed, refused)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
