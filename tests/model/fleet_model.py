"""What a registry holds and held, as simply as it can be said: dictionaries and a list of changes.

One rule: nothing here is our own code. Totals are added up, versions are looked up, and events are named from scratch.
"""

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class ModelChange:
    """One revision: what it did to which cluster."""

    revision: int
    id: str
    event: str
    before: Document | None
    after: Document | None


@dataclass
class FleetModel:
    """All clusters, now and at every revision. A method that changes something gives its status, as HTTP has it."""

    clusters: dict[str, Document] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    changes: list[ModelChange] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """The newest revision."""
        return len(self.changes)

    def create(self, id: str, made: Callable[[], Document]) -> int:
        """Enrol a cluster; ``made`` gives its document when it is not there yet."""
        if id in self.clusters:
            return 409
        self._become(id, "created", made())
        return 201

    def update(self, id: str, edit: Callable[[Document], None]) -> int:
        """Edit a document; no change is no revision."""
        if id not in self.clusters:
            return 404
        after = copy.deepcopy(self.clusters[id])
        edit(after)
        self._totalled(after)
        if text(after) != text(self.clusters[id]):
            self._become(id, "updated", after)
        return 200

    def join(self, id: str, node: Document) -> int:
        """Add a node, or put it in the place of the one with its id."""
        if id not in self.clusters:
            return 404
        if node["id"] in node_ids(self.clusters[id]):
            return self.update(id, lambda document: _put(document["nodes"]["nodeData"], node))
        self.update(id, lambda document: document["nodes"]["nodeData"].append(copy.deepcopy(node)))
        return 201

    def patch_node(self, id: str, node: str, members: Document) -> int:
        """Set members of a node."""
        if id not in self.clusters or node not in node_ids(self.clusters[id]):
            return 404
        return self.update(id, lambda document: nodes_of(document)[node].update(members))

    def leave(self, id: str, node: str) -> int:
        """Take a node out."""
        if id not in self.clusters or node not in node_ids(self.clusters[id]):
            return 404

        def without(document: Document) -> None:
            document["nodes"]["nodeData"] = [each for each in document["nodes"]["nodeData"] if each["id"] != node]

        return self.update(id, without)

    def delete(self, id: str) -> int:
        """Strike a cluster off."""
        if id not in self.clusters:
            return 404
        if id in self.protected:
            return 409
        self._become(id, "deleted", None)
        return 200

    def protect(self, id: str, protected: bool) -> int:
        """Protect a cluster, or lift its protection."""
        if id not in self.clusters:
            return 404
        if protected != (id in self.protected):
            (self.protected.add if protected else self.protected.discard)(id)
            self._become(id, "protected" if protected else "unprotected", self.clusters[id])
        return 200

    def restore(self, id: str, revision: int | None) -> int:
        """Make a cluster what it was."""
        lives = [change for change in self.changes if change.id == id]
        if not lives:
            return 404
        if revision is None:
            if id in self.clusters:
                return 409
            self._become(id, "created", lives[-1].before)
            return 200
        version = self.at(revision).get(id)
        if version is None:
            return 404
        if id not in self.clusters:
            self._become(id, "created", version)
        elif text(version) != text(self.clusters[id]):
            self._become(id, "updated", version)
        return 200

    def at(self, revision: int) -> dict[str, Document]:
        """All clusters as of a revision."""
        were: dict[str, Document] = {}
        for change in self.changes[:revision]:
            if change.after is None:
                were.pop(change.id, None)
            else:
                were[change.id] = change.after
        return were

    def events(
        self, since: int, up_to: int, matches: Callable[[Document], bool]
    ) -> Iterable[tuple[int, str, str, Document | None]]:
        """What a watcher of the documents that match is sent: revision, name, id and document after."""
        for change in self.changes[since:up_to]:
            was = change.before is not None and matches(change.before)
            now = change.after is not None and matches(change.after)
            name = {
                (True, True): "updated",
                (False, True): "created" if change.before is None else "entered",
                (True, False): "deleted" if change.after is None else "left",
            }.get((was, now))
            if name is not None:
                yield change.revision, name, change.id, change.after

    def _become(self, id: str, event: str, after: Document | None) -> None:
        self.changes.append(ModelChange(self.revision + 1, id, event, self.clusters.get(id), after))
        if after is None:
            del self.clusters[id]
        else:
            self.clusters[id] = after

    def _totalled(self, document: Document) -> None:
        for place, total in totals_of(document).items():
            *way, last = place.split(".")
            inner = document
            for name in way:
                inner = inner[name]
            inner[last] = total


def _put(nodes: list[Document], node: Document) -> None:
    nodes[[each["id"] for each in nodes].index(node["id"])] = copy.deepcopy(node)


def totals_of(document: Document) -> dict[str, int]:
    """What the nodes of a document add up to, by place."""
    nodes = document["nodes"]["nodeData"]
    places = ("gpus.count", "gpus.memory", "vcpus.count", "memory", "swap", "storage.disks", "storage.size")
    places += ("network.interfaces", "network.txBandwidth", "network.rxBandwidth")
    return {"nodes.count": len(nodes), **{place: sum(value_at(node, place) for node in nodes) for place in places}}


def value_at(document: Document, place: str) -> int:
    """The number at a place."""
    value: Any = document
    for name in place.split("."):
        value = value[name]
    number: int = value
    return number


def nodes_of(document: Document) -> dict[str, Document]:
    """The nodes by their ids."""
    return {node["id"]: node for node in document["nodes"]["nodeData"]}


def node_ids(document: Document) -> list[str]:
    """The ids of the nodes, in their order."""
    return list(nodes_of(document))


def text(document: Document | None) -> str:
    """A document as JSON: two are the same when their texts are, the order of members included."""
    return json.dumps(document)


def differences(given: Any, made: Any, at: str = "") -> list[str]:
    """Where a value that was given is not there in what was made of it."""
    if isinstance(given, dict) and isinstance(made, dict):
        return [each for name in given for each in differences(given[name], made.get(name), f"{at}/{name}")]
    if isinstance(given, list) and isinstance(made, list) and len(given) == len(made):
        return [
            each for n, pair in enumerate(zip(given, made, strict=True)) for each in differences(*pair, f"{at}/{n}")
        ]
    return [] if given == made else [f"{at}: {made!r} instead of {given!r}"]
