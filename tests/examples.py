"""Clusters for tests: small, documented, and the caller's own."""

import copy
from typing import Any


def node(id: str = "node-1", *, gpus: int = 2, model: str = "NVIDIA A100", memory: int = 1024) -> dict[str, Any]:
    """A complete node with ``gpus`` GPUs of 16 GB."""
    return {
        "id": id,
        "gpus": {
            "count": gpus,
            "memory": gpus * 16384,
            "gpus": [{"modelName": model, "memory": 16384} for _ in range(gpus)],
            "features": ["fp16"],
            "modelNames": [model],
        },
        "vcpus": {"count": 8},
        "memory": memory,
        "swap": 0,
        "storage": {"disks": 1, "size": 2048},
        "network": {"interfaces": 1, "txBandwidth": 100, "rxBandwidth": 100},
    }


def cluster(id: str = "west", *nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A cluster with what a caller must give; the rest is filled by the registry. ``fields`` go over it."""
    return {
        "id": id,
        "regionId": "us-west-2",
        "status": "live",
        "nodes": {"nodeData": copy.deepcopy(list(nodes) or [node()])},
        "config": {"publicHostname": f"{id}.example.net"},
        "tags": ["gpu"],
        "clusterMetadata": {"name": id, "description": "for tests", "owner": "tests"},
        **copy.deepcopy(fields),
    }
