"""The documented schema of a cluster, as data.

One rule: ``CLUSTER`` is the only place that knows which fields are documented, in which order, of which type, and who
has to give them. Recognizing, normalizing, filling, validating and casting all read it off here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from rollbook.documents.paths import Path, array_index
from rollbook.documents.values import MISSING, Maybe

REGISTRY_FIELD = "_registry"
"""Where a document is given with what the registry knows about it. No stored document has it."""

LARGEST = 1.7976931348623157e308
"""The largest number that JSON is sure to carry."""


class Presence(Enum):
    """Who sees to it that a documented field is there."""

    IDENTITY = "given at creation, in every mode"
    REQUIRED = "given by the writer"
    FILLED = "filled at creation when it is not given; not to be removed after"
    KEPT = "filled whenever it is absent"
    OPTIONAL = "may be absent"


class Text(Struct, frozen=True):
    """A text; ``may_be_empty`` False: where it is required, the empty text is as good as none."""

    may_be_empty: bool = True


class NodeId(Struct, frozen=True):
    """The id of a node: a text that an address can carry (see ``ids``)."""


class Number(Struct, frozen=True):
    """A number; a capacity can't be negative. Text that is a number is cast."""

    may_be_negative: bool = False


class Flag(Struct, frozen=True):
    """True or false."""


class Free(Struct, frozen=True):
    """Any value: nothing below is looked at, cast or changed."""


class ListOf(Struct, frozen=True):
    """An array of one kind."""

    item: "Kind"


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with documented members, in documented order; it may have others.

    ``unwraps_arrays``: a one-element array as a member, documented or not, stands for its element.
    """

    members: "Mapping[str, Member]"
    unwraps_arrays: bool = False
    nested: "Mapping[str, Fields | ListOf]" = field(init=False, repr=False)
    """The members that have documented members of their own, or hold elements that have."""

    def __post_init__(self) -> None:
        nested = {name: m.kind for name, m in self.members.items() if isinstance(element_kind(m.kind), Fields)}
        object.__setattr__(self, "nested", nested)


Kind: TypeAlias = Text | NodeId | Number | Flag | Free | ListOf | Fields


class Member(Struct, frozen=True):
    """A documented member of an object. ``default`` is what it is filled with; MISSING when that has to be derived."""

    kind: Kind
    meaning: str
    presence: Presence = Presence.REQUIRED
    default: Maybe = MISSING


def kind_at(path: Iterable[str], kind: Kind | None) -> Kind | None:
    """The documented kind at ``path`` below ``kind``; None when the path is not documented.

    An array is entered by an index, by a positional ``$``, ``$[]`` or ``$[name]``, or, as filters do, by naming a
    member of its elements.
    """
    for component in path:
        if isinstance(kind, ListOf) and (array_index(component) is not None or component.startswith("$")):
            kind = kind.item
            continue
        kind = element_kind(kind)
        if not isinstance(kind, Fields) or component not in kind.members:
            return None
        kind = kind.members[component].kind
    return kind


def element_kind(kind: Kind | None) -> Kind | None:
    """What an array holds; any other kind is itself."""
    while isinstance(kind, ListOf):
        kind = kind.item
    return kind


def generic(path: Iterable[str | int]) -> Path:
    """A path without its array indexes: what the schema calls the place."""
    return tuple(component for component in path if isinstance(component, str))


TEXT, CAPACITY, FREE = Text(), Number(), Free()
NAME = Text(may_be_empty=False)
TEXTS = ListOf(TEXT)

GPU = Fields(
    {
        "modelName": Member(TEXT, "GPU model name"),
        "memory": Member(CAPACITY, "memory of the GPU in MB"),
    }
)

NODE = Fields(
    {
        "id": Member(NodeId(), "unique id of the node"),
        "gpus": Member(
            Fields(
                {
                    "count": Member(CAPACITY, "number of GPUs in the node"),
                    "memory": Member(CAPACITY, "total GPU memory in MB"),
                    "gpus": Member(ListOf(GPU), "the node's GPUs, each with its memory", Presence.OPTIONAL),
                    "features": Member(TEXTS, "GPU features, such as CUDA versions", Presence.OPTIONAL),
                    "modelNames": Member(TEXTS, "distinct GPU model names", Presence.OPTIONAL),
                }
            ),
            "GPUs of the node",
        ),
        "vcpus": Member(Fields({"count": Member(CAPACITY, "number of vCPUs in the node")}), "virtual CPUs of the node"),
        "memory": Member(CAPACITY, "total memory in MB"),
        "swap": Member(CAPACITY, "total swap space in MB"),
        "storage": Member(
            Fields(
                {
                    "disks": Member(CAPACITY, "number of disks"),
                    "size": Member(CAPACITY, "total storage size in MB"),
                }
            ),
            "storage of the node",
        ),
        "network": Member(
            Fields(
                {
                    "interfaces": Member(CAPACITY, "number of network interfaces"),
                    "txBandwidth": Member(CAPACITY, "transmit bandwidth in MBps"),
                    "rxBandwidth": Member(CAPACITY, "receive bandwidth in MBps"),
                }
            ),
            "network of the node",
        ),
        "tags": Member(TEXTS, "user-defined tags of the node", Presence.OPTIONAL),
        "nodeMetadata": Member(FREE, "any metadata of the node", Presence.OPTIONAL),
    }
)

URL_MAP = Fields(
    {
        "controllerService": Member(TEXT, "URL of the controller service", Presence.OPTIONAL),
        "metricsService": Member(TEXT, "URL for metrics collection", Presence.OPTIONAL),
        "blocksQuery": Member(TEXT, "URL for querying blocks", Presence.OPTIONAL),
        "publicGateway": Member(TEXT, "public-facing gateway URL", Presence.OPTIONAL),
        "parameterUpdater": Member(TEXT, "URL for parameter updates", Presence.OPTIONAL),
    },
    unwraps_arrays=True,
)

CONFIG = Fields(
    {
        "policyExecutorId": Member(TEXT, "custom policy executor ID", Presence.KEPT, default=""),
        "policyExecutionMode": Member(TEXT, "execution mode for policies", Presence.KEPT, default="local"),
        "customPolicySystem": Member(FREE, "any custom policy logic or plugin", Presence.OPTIONAL),
        "publicHostname": Member(NAME, "public hostname of the cluster"),
        "useGateway": Member(Flag(), "whether to use a gateway for access", Presence.KEPT, default=True),
        "actionsPolicyMap": Member(FREE, "policies of actions", Presence.OPTIONAL),
        "urlMap": Member(URL_MAP, "URLs of the cluster's services, filled at creation", Presence.OPTIONAL),
    }
)

METADATA = Fields(
    {
        "name": Member(TEXT, "friendly name of the cluster"),
        "description": Member(TEXT, "purpose or use-case of the cluster"),
        "owner": Member(TEXT, "who owns or manages the cluster"),
        "email": Member(TEXT, "contact email", Presence.OPTIONAL),
        "countries": Member(TEXTS, "countries associated with the cluster", Presence.OPTIONAL),
        "miscContactInfo": Member(FREE, "additional contact or support info", Presence.OPTIONAL),
        "additionalInfo": Member(FREE, "any extra metadata", Presence.OPTIONAL),
    }
)


def _total(meaning: str) -> Member:
    return Member(CAPACITY, meaning, Presence.FILLED)


def _totals(meaning: str, **members: str) -> Member:
    return Member(Fields({name: _total(text) for name, text in members.items()}), meaning, Presence.FILLED)


CLUSTER = Fields(
    {
        "id": Member(TEXT, "unique id of the cluster", Presence.IDENTITY),
        "regionId": Member(TEXT, "region or network where the cluster is deployed", Presence.OPTIONAL),
        "status": Member(TEXT, "status of the cluster", Presence.FILLED, default="registered"),
        "nodes": Member(
            Fields(
                {
                    "count": _total("total number of nodes"),
                    "nodeData": Member(ListOf(NODE), "the nodes", Presence.KEPT, default=[]),
                }
            ),
            "the nodes of the cluster",
            Presence.FILLED,
            default={},
        ),
        "gpus": _totals("GPUs of all nodes", count="total number of GPUs", memory="total GPU memory in MB"),
        "vcpus": _totals("virtual CPUs of all nodes", count="total number of vCPUs"),
        "memory": _total("total memory in MB"),
        "swap": _total("total swap space in MB"),
        "storage": _totals("storage of all nodes", disks="total number of disks", size="total storage size in MB"),
        "network": _totals(
            "network of all nodes",
            interfaces="total number of interfaces",
            txBandwidth="total transmit bandwidth in MBps",
            rxBandwidth="total receive bandwidth in MBps",
        ),
        "config": Member(CONFIG, "configuration of the cluster controller", Presence.KEPT, default={}),
        "tags": Member(TEXTS, "user-defined tags or labels", Presence.FILLED, default=[]),
        "clusterMetadata": Member(METADATA, "metadata for people", Presence.KEPT, default={}),
        "reputation": Member(Number(may_be_negative=True), "reputation score", Presence.OPTIONAL),
    }
)
