"""A scheduler: places jobs on clusters that it sees in an informer, and reserves their GPUs by If-Match.

    python examples/scheduler.py http://localhost:3000 --jobs jobs.ndjson

A job is ``{"id": "train-7", "gpus": 4}``. Its reservation is written into the cluster's document, below
``reservations``. The write is done only to the document that the decision was made on, so two schedulers never give
away the same GPUs: the slower one is refused, sees what the other one did, and decides again.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rollbook.client import AsyncClient, AsyncInformer
from rollbook.errors import RegistryError

READY_SECONDS = 30.0
ATTEMPTS = 20

Job = dict[str, Any]


class NoPlace(Exception):
    """No live cluster has enough free GPUs."""


def free_gpus(cluster: dict[str, Any]) -> int:
    """The GPUs of a cluster that are not reserved."""
    reserved = sum(cluster.get("reservations", {}).values())
    return int(cluster["gpus"]["count"]) - int(reserved)


def choose(clusters: Iterable[dict[str, Any]], job: Job) -> dict[str, Any]:
    """The cluster with the fewest GPUs left over, so that large places stay free."""
    fitting = [each for each in clusters if free_gpus(each) >= job["gpus"]]
    if not fitting:
        raise NoPlace(f"no live cluster has {job['gpus']} free GPUs for {job['id']}")
    return min(fitting, key=lambda each: (free_gpus(each), each["id"]))


def reserve(document: dict[str, Any], job: Job) -> None:
    """Write a reservation into a cluster as it is stored now. Raises NoPlace when another scheduler filled it."""
    if document["status"] != "live" or free_gpus(document) < job["gpus"]:
        raise NoPlace(f"{document['id']} was filled by another scheduler")
    document.setdefault("reservations", {})[job["id"]] = job["gpus"]


async def place(client: AsyncClient, clusters: AsyncInformer, job: Job) -> str:
    """Reserve the GPUs of a job; the id of the cluster."""
    for _ in range(ATTEMPTS):
        id = choose(clusters, job)["id"]
        try:
            reply = await client.change(
                id, lambda document: reserve(document, job), reason=f"reserve {job['gpus']} GPUs for {job['id']}"
            )
        except NoPlace:
            await asyncio.sleep(0.05)  # the informer is about to hear of it
            continue
        if reply.revision is not None:
            await clusters.wait_for(reply.revision, READY_SECONDS)  # the next decision sees this one
        return str(id)
    raise NoPlace(f"others were always faster than {job['id']}")


async def schedule(url: str, jobs: Iterable[Job]) -> dict[str, str]:
    """Place jobs one after another; the cluster of each."""
    placed = {}
    async with AsyncClient(url) as client, client.informer({"status": "live"}) as clusters:
        await clusters.wait_ready(READY_SECONDS)
        for job in jobs:
            try:
                placed[job["id"]] = await place(client, clusters, job)
                print(f"{job['id']} -> {placed[job['id']]}", flush=True)
            except NoPlace as none:
                print(none, file=sys.stderr)
    return placed


def main() -> int:
    """Place the jobs of a file; 1 when some have no place."""
    parser = argparse.ArgumentParser(description="Place jobs on the clusters of a registry.")
    parser.add_argument("url")
    parser.add_argument("--jobs", type=Path, required=True, help='lines such as {"id": "train-7", "gpus": 4}')
    given = parser.parse_args()
    jobs = [json.loads(line) for line in given.jobs.read_text().splitlines() if line.strip()]
    try:
        placed = asyncio.run(schedule(given.url, jobs))
    except RegistryError as error:
        print(f"{error} [{error.code}]", file=sys.stderr)
        return 2
    return 0 if len(placed) == len(jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
