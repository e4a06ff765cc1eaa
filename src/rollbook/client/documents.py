"""The documents of a registry as types for checkers: what the schema documents, and nothing of it required.

One rule: a document stays a plain dict, which may have other members too; a test compares these types with the schema.
"""

from typing import Any, TypedDict


class Gpu(TypedDict, total=False):
    """A GPU of a node; ``memory`` in MB."""

    modelName: str
    memory: float


class NodeGpus(TypedDict, total=False):
    """The GPUs of a node; ``memory`` in MB."""

    count: float
    memory: float
    gpus: list[Gpu]
    features: list[str]
    modelNames: list[str]


class Vcpus(TypedDict, total=False):
    """Virtual CPUs."""

    count: float


class Storage(TypedDict, total=False):
    """Disks; ``size`` in MB."""

    disks: float
    size: float


class Network(TypedDict, total=False):
    """Network interfaces; bandwidths in MBps."""

    interfaces: float
    txBandwidth: float
    rxBandwidth: float


class Node(TypedDict, total=False):
    """A node of a cluster; ``memory`` and ``swap`` in MB."""

    id: str
    gpus: NodeGpus
    vcpus: Vcpus
    memory: float
    swap: float
    storage: Storage
    network: Network
    tags: list[str]
    nodeMetadata: Any


class NodeList(TypedDict, total=False):
    """The nodes of a cluster."""

    count: float
    nodeData: list[Node]


class Gpus(TypedDict, total=False):
    """The GPUs of all nodes; ``memory`` in MB."""

    count: float
    memory: float


class UrlMap(TypedDict, total=False):
    """The URLs of a cluster's services."""

    controllerService: str
    metricsService: str
    blocksQuery: str
    publicGateway: str
    parameterUpdater: str


class Config(TypedDict, total=False):
    """The configuration of a cluster controller."""

    policyExecutorId: str
    policyExecutionMode: str
    customPolicySystem: Any
    publicHostname: str
    useGateway: bool
    actionsPolicyMap: Any
    urlMap: UrlMap


class ClusterMetadata(TypedDict, total=False):
    """What people know of a cluster."""

    name: str
    description: str
    owner: str
    email: str
    countries: list[str]
    miscContactInfo: Any
    additionalInfo: Any


class Cluster(TypedDict, total=False):
    """A cluster; ``memory`` and ``swap`` of all nodes in MB."""

    id: str
    regionId: str
    status: str
    nodes: NodeList
    gpus: Gpus
    vcpus: Vcpus
    memory: float
    swap: float
    storage: Storage
    network: Network
    config: Config
    tags: list[str]
    clusterMetadata: ClusterMetadata
    reputation: float
