"""Realistic clusters from a seed: the same seed gives the same clusters, everywhere.

Regions, GPU models, owners and tags are distributed by Zipf's law; a cluster has 1 to 64 nodes, lognormally, about six
on average, which makes documents of about 4 KB. Cluster ``n`` depends on the seed and ``n`` only.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

Document = dict[str, Any]

GPU_MODELS: Sequence[tuple[str, int, tuple[str, ...]]] = (
    ("NVIDIA A100", 81920, ("fp16", "tensor_cores", "mig", "nvlink")),
    ("NVIDIA H100", 81920, ("fp8", "fp16", "tensor_cores", "mig", "nvlink")),
    ("NVIDIA L40S", 49152, ("fp8", "fp16", "tensor_cores")),
    ("NVIDIA V100", 16384, ("fp16", "tensor_cores", "nvlink")),
    ("NVIDIA T4", 16384, ("fp16", "tensor_cores")),
    ("NVIDIA RTX 4090", 24576, ("fp8", "fp16", "tensor_cores")),
    ("AMD MI300X", 196608, ("fp8", "fp16")),
    ("NVIDIA A10", 24576, ("fp16", "tensor_cores")),
    ("NVIDIA RTX A6000", 49152, ("fp16", "tensor_cores", "nvlink")),
    ("AMD MI210", 65536, ("fp16",)),
    ("NVIDIA P100", 16384, ("fp16",)),
    ("NVIDIA H200", 144384, ("fp8", "fp16", "tensor_cores", "mig", "nvlink")),
    ("Intel Gaudi 3", 131072, ("fp8", "fp16")),
    ("NVIDIA RTX 3090", 24576, ("fp16", "tensor_cores")),
    ("NVIDIA K80", 12288, ()),
    ("AMD MI100", 32768, ("fp16",)),
)
REGIONS = tuple(
    f"{area}-{side}-{number}"
    for number in (1, 2, 3)
    for area in ("us", "eu", "ap", "sa", "af", "me", "ca", "in")
    for side in ("east", "west", "central", "south")
)
STATUSES = ("live", "registered", "degraded", "maintenance", "offline")
STATUS_WEIGHTS = (80, 8, 5, 4, 3)
PURPOSES = ("vision", "speech", "training", "inference", "rendering", "research", "batch", "robotics", "genomics")
TAGS = ("gpu", "production", "ml", *PURPOSES, *(f"team-{n}" for n in range(150)), *(f"project-{n}" for n in range(400)))
OWNERS = tuple(f"{PURPOSES[n % len(PURPOSES)].title()} Group {n}" for n in range(2_000))
COUNTRIES = ("USA", "Germany", "India", "Japan", "Brazil", "France", "Canada", "Kenya", "Norway", "Spain", "Chile")
NODE_MEMORIES = (65536, 131072, 262144, 524288, 1048576)
BANDWIDTHS = (1000, 10000, 25000, 100000)


def clusters(count: int, *, seed: int = 20260, start: int = 0) -> Iterator[Document]:
    """The clusters numbered ``start`` to ``start + count - 1`` of a seed."""
    for number in range(start, start + count):
        yield cluster(number, seed=seed)


def cluster(number: int, *, seed: int = 20260) -> Document:
    """Cluster ``number`` of a seed: a complete document as a registry stores it."""
    random = Random(f"{seed}/{number}")  # noqa: S311  (made-up clusters are no secrets)
    region, purpose = _zipf(random, REGIONS), random.choice(PURPOSES)
    id = f"{region}-{purpose}-{number:07d}"
    model = _zipf(random, GPU_MODELS)
    count = min(64, max(1, round(random.lognormvariate(1.45, 0.85))))
    nodes = [node(random, n, model) for n in range(count)]
    host = f"{id}.clusters.example.net"
    return {
        "id": id,
        "regionId": region,
        "status": random.choices(STATUSES, STATUS_WEIGHTS)[0],
        "nodes": {"count": count, "nodeData": nodes},
        "gpus": _totals(nodes, "gpus", ("count", "memory")),
        "vcpus": _totals(nodes, "vcpus", ("count",)),
        "memory": sum(node["memory"] for node in nodes),
        "swap": sum(node["swap"] for node in nodes),
        "storage": _totals(nodes, "storage", ("disks", "size")),
        "network": _totals(nodes, "network", ("interfaces", "txBandwidth", "rxBandwidth")),
        "config": _config(random, host),
        "tags": sorted({_zipf(random, TAGS) for _ in range(random.randint(1, 6))}),
        "clusterMetadata": _metadata(random, number, purpose, region),
        "reputation": random.randint(0, 100),
    }


def node(random: Random, number: int, usual_model: tuple[str, int, tuple[str, ...]]) -> Document:
    """Node ``number`` (from 0) of a cluster, nine times in ten with the usual GPU model of its cluster."""
    model, gpu_memory, features = usual_model if random.random() < 0.9 else _zipf(random, GPU_MODELS)
    gpus = random.choice((1, 1, 2, 4, 8))
    bandwidth = random.choice(BANDWIDTHS)
    return {
        "id": f"node-{number + 1}",
        "gpus": {
            "count": gpus,
            "memory": gpus * gpu_memory,
            "gpus": [{"modelName": model, "memory": gpu_memory} for _ in range(gpus)],
            "features": list(features),
            "modelNames": [model],
        },
        "vcpus": {"count": gpus * random.choice((8, 16, 32))},
        "memory": random.choice(NODE_MEMORIES),
        "swap": random.choice((0, 0, 8192, 16384)),
        "storage": {"disks": random.randint(1, 4), "size": random.choice((524288, 1048576, 4194304))},
        "network": {"interfaces": random.randint(1, 2), "txBandwidth": bandwidth, "rxBandwidth": bandwidth},
    }


def _totals(nodes: Sequence[Document], member: str, names: Sequence[str]) -> Document:
    return {name: sum(node[member][name] for node in nodes) for name in names}


def _config(random: Random, host: str) -> Document:
    gateway = f"http://{host}:32000"
    return {
        "policyExecutorId": f"policy-exec-{random.randint(1, 40):03d}",
        "policyExecutionMode": random.choice(("local", "local", "remote")),
        "customPolicySystem": {"name": "AdvancedPolicyRunner", "version": f"2.{random.randint(0, 9)}.0"},
        "publicHostname": host,
        "useGateway": random.random() < 0.8,
        "actionsPolicyMap": {"onScaleUp": "evaluate-gpu-availability", "onFailure": "notify-admin"},
        "urlMap": {
            "controllerService": f"{gateway}/controller",
            "metricsService": f"{gateway}/metrics",
            "blocksQuery": f"{gateway}/blocks",
            "publicGateway": gateway,
            "parameterUpdater": f"{gateway}/mgmt",
        },
    }


def _metadata(random: Random, number: int, purpose: str, region: str) -> Document:
    owner = _zipf(random, OWNERS)
    metadata: Document = {
        "name": f"{purpose.title()} {region} {number}",
        "description": f"Dedicated to {purpose} workloads of {owner} in {region}.",
        "owner": owner,
        "email": f"{owner.lower().replace(' ', '.')}@example.com",
        "countries": random.sample(COUNTRIES, random.randint(1, 3)),
        "miscContactInfo": {"slack": f"#{purpose}-infra"},
        "additionalInfo": {},
    }
    if random.random() < 0.25:
        metadata["additionalInfo"] = {"rack": random.randint(1, 400), "maintenanceWindow": random.choice("ABCD")}
    if random.random() < 0.3:
        del metadata["email"]
    return metadata


def _zipf(random: Random, things: Sequence[Any]) -> Any:
    """One of the things; the first twice as often as the second, and so on by Zipf's law (roughly)."""
    return things[min(len(things) - 1, int(len(things) ** random.random()) - 1)]
