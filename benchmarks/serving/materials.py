"""What the contestants are given: generated clusters in a file, and requests whose answers are known.

Filters are chosen from the clusters so that each finds about twenty of them, whatever their number. One rule: the same
seed and number give the same clusters and the same requests.
"""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson

from benchmarks.generating import Document

SEED = 20260
HITS_MIN, HITS_MAX = 15, 25
FILTERS_OF_A_KIND = 64
GPUS_OF_A_LARGE_NODE = 8
GPUS_OF_A_LARGE_CLUSTER = 16
MEMORIES = (262144, 524288, 1048576)

Filter = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A filter, and the ids of all clusters that it matches."""

    filter: Filter
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Materials:
    """So many clusters, and what may be asked about them."""

    file: Path
    ids: Sequence[str]
    questions: Mapping[str, Sequence[Question]]
    clusters_in_regions: Mapping[str, int]

    @property
    def count(self) -> int:
        """The number of clusters."""
        return len(self.ids)

    def documents(self) -> Iterator[Document]:
        """Every cluster, read from the file."""
        with self.file.open("rb") as lines:
            yield from map(orjson.loads, lines)


def prepare_materials(count: int, *, cache: Path) -> Materials:
    """The materials with ``count`` clusters; they are generated when the cache does not have them."""
    file = cache / f"clusters-{SEED}-{count}.ndjson"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        with unfinished.open("wb") as output:
            command = [sys.executable, "-m", "benchmarks.generating", str(count), str(SEED)]
            subprocess.run(command, stdout=output, check=True, cwd=Path(__file__).parents[2])
        unfinished.rename(file)
    return _read(file)


def _read(file: Path) -> Materials:
    ids: list[str] = []
    regions: Counter[str] = Counter()
    tagged: Groups = defaultdict(list)
    with_nodes: Groups = defaultdict(list)
    described: Groups = defaultdict(list)
    placed: Groups = defaultdict(list)
    with file.open("rb") as lines:
        for number, document in enumerate(map(orjson.loads, lines)):
            ids.append(document["id"])
            region, metadata = document["regionId"], document["clusterMetadata"]
            regions[region] += 1
            if document["status"] == "live":
                _enter(tagged, number, ((region, tag) for tag in document["tags"]))
            _enter(with_nodes, number, _large_nodes(document))
            described[metadata["owner"], region[:2]].append(number)
            if document["gpus"]["count"] >= GPUS_OF_A_LARGE_CLUSTER:
                _enter(placed, number, ((region, country) for country in metadata["countries"]))
    questions = {
        "selective": _chosen(tagged, lambda key: {"status": "live", "regionId": key[0], "tags": key[1]}),
        "example": _chosen(placed, _example_filter),
        "element": _chosen(with_nodes, _nodes_filter),
        "pattern": _chosen(
            described, lambda key: {"clusterMetadata.description": {"$regex": f"{key[0]} in {key[1]}-"}}
        ),
    }
    named = {
        name: [Question(filter, frozenset(ids[number] for number in numbers)) for filter, numbers in chosen]
        for name, chosen in questions.items()
    }
    return Materials(file, ids, named, regions)


Groups = dict[tuple[Any, ...], list[int]]
Chosen = list[tuple[Filter, Sequence[int]]]


def _enter(groups: Groups, number: int, keys: Iterable[tuple[Any, ...]]) -> None:
    for key in set(keys):
        groups[key].append(number)


def _large_nodes(document: Document) -> Iterator[tuple[Any, ...]]:
    for node in document["nodes"]["nodeData"]:
        if node["gpus"]["count"] >= GPUS_OF_A_LARGE_NODE:
            for memory in MEMORIES:
                if node["memory"] >= memory:
                    yield document["regionId"], node["gpus"]["modelNames"][0], memory


def _example_filter(key: tuple[Any, ...]) -> Filter:
    """The specification's example, within a region, for it would find a good part of all clusters."""
    region, country = key
    size = {"$gte": GPUS_OF_A_LARGE_CLUSTER}
    return {"regionId": region, "gpus.count": size, "clusterMetadata.countries": {"$in": [country]}}


def _nodes_filter(key: tuple[Any, ...]) -> Filter:
    region, model, memory = key
    node = {"gpus.modelNames": model, "gpus.count": {"$gte": GPUS_OF_A_LARGE_NODE}, "memory": {"$gte": memory}}
    return {"regionId": region, "nodes.nodeData": {"$elemMatch": node}}


def _chosen(groups: Groups, filter_of: Any) -> Chosen:
    """Filters that find about twenty clusters; those that come nearest, when there are none."""
    fitting = sorted(key for key, numbers in groups.items() if HITS_MIN <= len(numbers) <= HITS_MAX)
    if not fitting:
        fitting = sorted(groups, key=lambda key: (abs(len(groups[key]) - HITS_MAX), key))[:FILTERS_OF_A_KIND]
    Random(SEED).shuffle(fitting)
    return [(filter_of(key), groups[key]) for key in fitting[:FILTERS_OF_A_KIND]]
