"""The routes of a cluster's nodes. They answer the node, not the cluster."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.handlers import registry_of, rules_of
from rollbook.api.requests import author_of, flag_value, json_body, precondition_of
from rollbook.clusters.nodes import nodes_in
from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.values import Document, Value
from rollbook.errors import UpdateRefused
from rollbook.language.edits import parse_edit
from rollbook.registry.committing import Stored
from rollbook.registry.node_commands import (
    EditNodes,
    NodeEdit,
    joining,
    leaving,
    merged,
    node_in,
    patching,
    replacing,
    synchronising,
)


async def read_nodes(request: Request) -> Response:
    """``GET /clusters/{id}/nodes``: the list of nodes."""
    entry = registry_of(request).entry(request.path_params["id"])
    nodes = encode_json(nodes_in(decode_stored(entry.body)))
    return responses.document(nodes, revision=entry.revision)


async def read_node(request: Request) -> Response:
    """``GET /clusters/{id}/nodes/{nodeId}``."""
    entry = registry_of(request).entry(request.path_params["id"])
    node = node_in(entry.body, request.path_params["node_id"])
    return responses.document(encode_json(node), revision=entry.revision)


async def join_node(request: Request) -> Response:
    """``POST /clusters/{id}/nodes``: the node joins, or takes the place of the node with its id."""
    node = await json_body(request, limits=registry_of(request).limits)
    on_conflict = flag_value(request, "onConflict", ("replace", "refuse"), default="replace")
    edit = joining(node, on_conflict="refuse" if on_conflict == "refuse" else "replace")
    assert isinstance(node, dict)
    return _node(await _edit(request, edit), str(node["id"]))


async def replace_node(request: Request) -> Response:
    """``PUT /clusters/{id}/nodes/{nodeId}``: the node becomes the one that is sent."""
    node = await json_body(request, limits=registry_of(request).limits)
    id = request.path_params["node_id"]
    return _node(await _edit(request, replacing(id, node)), id)


async def patch_node(request: Request) -> Response:
    """``PATCH /clusters/{id}/nodes/{nodeId}``: a JSON Merge Patch, or update operators."""
    change = await json_body(request, limits=registry_of(request).limits)
    id = request.path_params["node_id"]
    return _node(await _edit(request, patching(id, changing(change))), id)


async def remove_node(request: Request) -> Response:
    """``DELETE /clusters/{id}/nodes/{nodeId}``."""
    await _edit(request, leaving(request.path_params["node_id"]))
    return responses.json_response({"message": "Node deleted"})


async def synchronise_nodes(request: Request) -> Response:
    """``PUT /clusters/{id}/nodes``: the cluster has the nodes that are sent, and no others."""
    nodes = await json_body(request, limits=registry_of(request).limits)
    stored = await _edit(request, synchronising(nodes))
    assert stored.body is not None
    return responses.stored(stored, body=encode_json(nodes_in(decode_stored(stored.body))))


def changing(change: Value) -> Callable[[Document], Document]:
    """What a PATCH body does to a node: update operators when it has any, else a JSON Merge Patch."""
    if not isinstance(change, dict):
        raise UpdateRefused("a patch is an object: members to merge, or update operators", mongo_code=9)
    if any(name.startswith("$") for name in change):
        return parse_edit(change).apply
    return lambda node: merged(node, change)


async def _edit(request: Request, edit: NodeEdit) -> Stored:
    registry = registry_of(request)
    command = EditNodes(request.path_params["id"], edit, rules_of(request), precondition_of(request), registry.limits)
    return await registry.write(command, author=author_of(request))


def _node(stored: Stored, id: str) -> Response:
    assert stored.body is not None
    status = 201 if stored.outcome == "joined" else 200
    headers = {"location": f"/clusters/{stored.id}/nodes/{quote(id, safe='')}"} if status == 201 else None
    return responses.stored(stored, body=encode_json(node_in(stored.body, id)), status=status, headers=headers)
