"""Nodes of a cluster: they join, are read, changed and replaced, and leave; and the cluster's heartbeat."""

from collections.abc import Sequence
from typing import Any, Literal

from rollbook.client.calls import Call, Json, encoded, headers_of, parameters_of, patch_type_of, path_of
from rollbook.client.replies import Reply, document, value


def list_nodes(id: str, *, revision: int | None = None, at: str | None = None) -> Call[list[Json]]:
    """The nodes of a cluster."""
    parameters = parameters_of(revision=revision, at=at)
    return Call("GET", path_of("clusters", id, "nodes"), value, parameters=parameters, repeatable=True)


def read(id: str, node_id: str, *, revision: int | None = None, at: str | None = None) -> Call[Reply]:
    """One node of a cluster."""
    parameters = parameters_of(revision=revision, at=at)
    return Call("GET", path_of("clusters", id, "nodes", node_id), document, parameters=parameters, repeatable=True)


def table(columns: list[str], filter: Json | None = None, **options: Any) -> Call[Json]:
    """Columns of the nodes of the matching clusters, a page of rows; ``nodeQuery`` says which of the nodes."""
    question = {} if filter is None else {"query": filter}
    body = encoded({"columns": columns, **question, **options})
    return Call("POST", "/nodes/table", value, body=body, repeatable=True)


def join(
    id: str,
    node: Json,
    *,
    on_conflict: Literal["replace", "refuse"] = "replace",
    if_match: str | None = None,
    reason: str | None = None,
) -> Call[Reply]:
    """A node joins; one that is there already is replaced, or refused. Totals follow."""
    return Call(
        "POST",
        path_of("clusters", id, "nodes"),
        document,
        parameters=parameters_of(onConflict=on_conflict),
        headers=headers_of(if_match=if_match, reason=reason),
        body=encoded(node),
        repeatable=on_conflict == "replace",
    )


def replace(id: str, node_id: str, node: Json, *, if_match: str | None = None) -> Call[Reply]:
    """Put another description in the place of a node's."""
    path, headers = path_of("clusters", id, "nodes", node_id), headers_of(if_match=if_match)
    return Call("PUT", path, document, headers=headers, body=encoded(node), repeatable=if_match is not None)


def patch(id: str, node_id: str, patch: Any, *, if_match: str | None = None) -> Call[Reply]:
    """Change members of a node: a JSON merge patch, an update with operators, or a JSON Patch (a list)."""
    path = path_of("clusters", id, "nodes", node_id)
    headers = {**headers_of(if_match=if_match), "content-type": patch_type_of(patch)}
    return Call("PATCH", path, document, headers=headers, body=encoded(patch), repeatable=if_match is not None)


def leave(id: str, node_id: str, *, if_match: str | None = None, reason: str | None = None) -> Call[Reply]:
    """A node leaves. Totals follow."""
    path, headers = path_of("clusters", id, "nodes", node_id), headers_of(if_match=if_match, reason=reason)
    return Call("DELETE", path, document, headers=headers, repeatable=if_match is not None)


def sync(id: str, nodes: Sequence[Json], *, if_match: str | None = None, reason: str | None = None) -> Call[Any]:
    """Make these the nodes of the cluster, and no others."""
    path, headers = path_of("clusters", id, "nodes"), headers_of(if_match=if_match, reason=reason)
    return Call("PUT", path, value, headers=headers, body=encoded(list(nodes)), repeatable=if_match is not None)


def heartbeat(
    id: str, *, ttl_seconds: int | None = None, nodes: Sequence[str] | None = None, **more: Any
) -> Call[Json]:
    """The cluster is alive, for another ``ttl_seconds``; ``nodes`` are those that are."""
    given = {"ttlSeconds": ttl_seconds, "nodes": None if nodes is None else list(nodes), **more}
    body = {name: member for name, member in given.items() if member is not None}
    return Call("POST", path_of("clusters", id, "heartbeat"), value, body=encoded(body), repeatable=True)


def uptime(id: str) -> Call[Json]:
    """How the cluster has spent its time: alive, late or silent."""
    return Call("GET", path_of("clusters", id, "uptime"), value, repeatable=True)
