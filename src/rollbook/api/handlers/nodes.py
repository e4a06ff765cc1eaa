"""The routes of a cluster's nodes. They answer the node, not the cluster."""

import asyncio
from collections.abc import Callable, Collection
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import caller_of, flag_value, json_body, precondition_of, reason_of
from rollbook.api.handlers.clusters import entry_of, registry_of, rules_of
from rollbook.clusters.casting import cast_update
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.nodes import nodes_in
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Value
from rollbook.errors import MediaTypeUnsupported, UpdateRefused
from rollbook.language.edits import compile_edit, parse_edit
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import (
    NodeChange,
    NodeEdit,
    joining,
    leaving,
    merged,
    node_in,
    patching,
    place_in_patch,
    replacing,
    synchronising,
)
from rollbook.view.entries import Entry

READ_INLINE_BYTES_MAX = 256 * 1024
MERGE_PATCH = "application/merge-patch+json"
PATCHES = ("application/json", MERGE_PATCH)


async def read_nodes(request: Request) -> Response:
    """``GET /clusters/{id}/nodes``: the list of nodes."""
    return await _part_of(await entry_of(request), request, lambda body: encode_json(nodes_in(decode_stored(body))))


async def read_node(request: Request) -> Response:
    """``GET /clusters/{id}/nodes/{nodeId}``."""
    node_id = request.path_params["node_id"]
    return await _part_of(await entry_of(request), request, lambda body: encode_json(node_in(body, node_id)))


async def join_node(request: Request) -> Response:
    """``POST /clusters/{id}/nodes``: the node joins, or takes the place of the node with its id."""
    node = await json_body(request, limits=registry_of(request).limits)
    on_conflict = flag_value(request, "onConflict", ("replace", "refuse"), default="replace")
    edit = joining([node], on_conflict="refuse" if on_conflict == "refuse" else "replace", at=lambda _: "")
    assert isinstance(node, dict)
    return await _node(await _edit(request, edit, parameters=("onConflict",)), str(node["id"]))


async def replace_node(request: Request) -> Response:
    """``PUT /clusters/{id}/nodes/{nodeId}``: the node becomes the one that is sent."""
    node = await json_body(request, limits=registry_of(request).limits)
    id = request.path_params["node_id"]
    return await _node(await _edit(request, replacing(id, node), node=id), id)


async def patch_node(request: Request) -> Response:
    """``PATCH /clusters/{id}/nodes/{nodeId}``: a JSON Merge Patch, or update operators."""
    registry, id = registry_of(request), request.path_params["node_id"]
    body = await json_body(request, limits=registry.limits)
    change = _change_of(request, body)
    edit = patching(id, change, locate=lambda inside: place_in_patch(body, inside))
    return await _node(await _edit(request, edit, node=id), id)


async def remove_node(request: Request) -> Response:
    """``DELETE /clusters/{id}/nodes/{nodeId}``."""
    id = request.path_params["node_id"]
    await _edit(request, leaving(id), node=id)
    return responses.json_response({"message": "Node deleted"})


async def synchronise_nodes(request: Request) -> Response:
    """``PUT /clusters/{id}/nodes``: the cluster has the nodes that are sent, and no others."""
    nodes = await json_body(request, limits=registry_of(request).limits)
    stored = await _edit(request, synchronising(nodes))
    assert stored.body is not None
    return responses.stored(
        stored, body=await _read(stored.body, lambda body: encode_json(nodes_in(decode_stored(body))))
    )


def _change_of(request: Request, body: Value) -> NodeChange:
    """What a PATCH body does to a node: update operators when it has any, else a JSON Merge Patch."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in PATCHES:
        raise MediaTypeUnsupported(f"a node is patched with {' or '.join(PATCHES)}, not {media_type!r}")
    if not isinstance(body, dict):
        raise UpdateRefused("a patch is an object: members to merge, or update operators", mongo_code=9)
    if not any(name.startswith("$") for name in body):
        return lambda node, budget: merged(node, body)
    if media_type == MERGE_PATCH:
        raise UpdateRefused(
            "a merge patch has no operators; send them with Content-Type: application/json", mongo_code=9
        )
    edit = parse_edit(cast_update(body), limits=registry_of(request).limits)
    return lambda node, budget: compile_edit(edit, work=budget)(node)


async def _edit(
    request: Request,
    edit: NodeEdit,
    *,
    node: str | None = None,
    parameters: Collection[str] = (),
) -> WriteResult:
    registry = registry_of(request)
    command = EditNodes(
        request.path_params["id"],
        edit,
        rules_of(request, beside=parameters),
        node,
        precondition_of(request),
        registry.limits,
    )
    return await registry.write(caller_of(request), command, reason=reason_of(request))


async def _node(stored: WriteResult, id: str) -> Response:
    assert stored.body is not None
    status = 201 if stored.outcome == "joined" else 200
    place = f"/clusters/{stored.id}/nodes/{quote(id, safe='')}"
    body = await _read(stored.body, lambda body: encode_json(node_in(body, id)))
    return responses.stored(stored, body=body, status=status, headers={"location": place} if status == 201 else None)


async def _part_of(entry: Entry, request: Request, read: Callable[[bytes], bytes]) -> Response:
    """A part of a cluster, with the cluster's entity tag; or 304 when the caller has that already."""
    part = await _read(entry.body, read)
    seen = precondition_of(request).differs
    if seen is not None and seen & {"*", str(entry.revision)}:
        return Response(status_code=304, headers={"etag": responses.entity_tag(entry.revision)})
    return responses.document(part, revision=entry.revision)


async def _read(body: bytes, read: Callable[[bytes], bytes]) -> bytes:
    """What ``read`` makes of a cluster's JSON. A large one is read on a thread, so that it holds nobody up."""
    return read(body) if len(body) <= READ_INLINE_BYTES_MAX else await asyncio.to_thread(read, body)
