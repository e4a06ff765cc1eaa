"""What a node is: an element of ``nodes.nodeData``, known by its ``id``.

One rule: these functions take documents as they come, sound or not; what is no node has no id and no GPUs.
"""

from collections import Counter
from collections.abc import Iterable

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value

NODE_LIST: Path = ("nodes", "nodeData")


def nodes_in(document: Document) -> list[Value]:
    """The nodes of a cluster; empty when it has no list of them."""
    nodes = document.get("nodes")
    listed = nodes.get("nodeData") if isinstance(nodes, dict) else None
    return listed if isinstance(listed, list) else []


def node_id(node: Value) -> str | None:
    """The id of a node, when it has one that is text."""
    id = node.get("id") if isinstance(node, dict) else None
    return id if isinstance(id, str) else None


def repeated_ids(nodes: Iterable[Value]) -> list[str]:
    """The ids that more than one node has, in order of first appearance."""
    counts = Counter(map(node_id, nodes))
    return [id for id, count in counts.items() if count > 1 and id is not None]


def gpu_models(nodes: Iterable[Value]) -> list[str]:
    """The distinct GPU models of the nodes, in order of first appearance.

    A node names them in ``gpus.modelNames``; one that does not, in the ``modelName`` of each GPU.
    """
    return list(dict.fromkeys(model for node in nodes for model in _models_of(node)))


def _models_of(node: Value) -> list[str]:
    gpus = node.get("gpus") if isinstance(node, dict) else None
    if not isinstance(gpus, dict):
        return []
    named, listed = gpus.get("modelNames"), gpus.get("gpus")
    if isinstance(named, list):
        return [name for name in named if isinstance(name, str)]
    if isinstance(listed, list):
        models = (gpu.get("modelName") for gpu in listed if isinstance(gpu, dict))
        return [model for model in models if isinstance(model, str)]
    return []
