"""The vocabulary of filters in words about clusters: short names of fields, and what a word alone means.

One rule: a word alone means what a person would look for: a status, a liveness, a GPU model, or else text in what
people read of a cluster.
"""

import re
from collections.abc import Iterator
from typing import get_args

from rollbook.clusters.gpu_models import gpu_named
from rollbook.clusters.liveness import Liveness
from rollbook.clusters.schema import CLUSTER, REGISTRY_FIELD, Fields, Kind, element_kind
from rollbook.documents.values import Document
from rollbook.language.words import Vocabulary

STATUSES = frozenset({"registered", "live", "draining", "maintenance", "unreachable"})

ALIASES = {
    "region": "regionId",
    "name": "clusterMetadata.name",
    "description": "clusterMetadata.description",
    "owner": "clusterMetadata.owner",
    "country": "clusterMetadata.countries",
    "tag": "tags",
    "gpus": "gpus.count",
    "nodes": "nodes.count",
    "vcpus": "vcpus.count",
    "gpu": "nodes.nodeData.gpus.modelNames",
    "liveness": f"{REGISTRY_FIELD}.liveness",
    "revision": f"{REGISTRY_FIELD}.revision",
}

READ_BY_PEOPLE = (
    "id",
    "regionId",
    "tags",
    "clusterMetadata.name",
    "clusterMetadata.owner",
    "clusterMetadata.description",
)

GPU_NAMES = ("nodes.nodeData.gpus.modelNames", "nodes.nodeData.gpus.gpus.modelName")


def meaning_of(word: str) -> Document:
    """The filter that a word alone means."""
    plain = word.lower()
    if plain in STATUSES:
        return {"status": plain}
    if plain in get_args(Liveness):
        return {f"{REGISTRY_FIELD}.liveness": plain}
    if gpu_named(word) is not None:
        return _any(GPU_NAMES, {"$regex": _spelled(word), "$options": "i"})
    return _any(READ_BY_PEOPLE, {"$regex": re.escape(word), "$options": "i"})


def _spelled(gpu: str) -> str:
    """The pattern of a GPU's name as a word of its own, with or without a space between its letters and its numbers."""
    parts: list[str] = re.findall(r"[A-Za-z]+|[0-9]+", gpu)
    return rf"\b{'[ -]?'.join(parts)}\b"


def _any(paths: tuple[str, ...], condition: Document) -> Document:
    return {"$or": [{path: condition} for path in paths]}


def _paths_below(kind: Kind | None, prefix: str = "") -> Iterator[str]:
    kind = element_kind(kind)
    if isinstance(kind, Fields):
        for name, member in kind.members.items():
            yield prefix + name
            yield from _paths_below(member.kind, f"{prefix}{name}.")


FLEET_WORDS = Vocabulary(ALIASES, tuple(_paths_below(CLUSTER)), meaning_of)
