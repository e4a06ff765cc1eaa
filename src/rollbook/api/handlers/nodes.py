"""The operations on a cluster's nodes. They answer with the node, not the cluster."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import precondition_of, registry_of, tag_seen
from rollbook.api.declarations import Answer, Body, Operation, array_of, reference
from rollbook.api.handlers.clusters import NOT_MODIFIED, OF_THE_PAST, entry_of, rules_of
from rollbook.api.offloading import off_the_loop
from rollbook.api.parameters import AT, DRY_RUN, FIELD_VALIDATION, ON_CONFLICT, REVISION
from rollbook.api.writing import DRY_RUN_ANSWER, Answering, write
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.nodes import nodes_in
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Value
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import (
    NodeEdit,
    joining,
    leaving,
    node_in,
    replacing,
    synchronising,
)
from rollbook.view.entries import Entry

READ_INLINE_BYTES_MAX = 256 * 1024


async def read_nodes(request: Request) -> Response:
    """The list of nodes."""
    return await _part_of(await entry_of(request), request, lambda body: encode_json(nodes_in(decode_stored(body))))


async def read_node(request: Request) -> Response:
    """One node."""
    node_id = request.path_params["node_id"]
    return await _part_of(await entry_of(request), request, lambda body: encode_json(node_in(body, node_id)))


async def join_node(request: Request) -> Response:
    """The node joins, or takes the place of the node with its id."""
    node = await NODE.of(request)
    edit = joining([node], on_conflict=ON_CONFLICT.of(request), at=lambda _: "")
    assert isinstance(node, dict)
    id = str(node["id"])
    return await edit_nodes(request, edit, lambda stored: node_answer(stored, id))


async def replace_node(request: Request) -> Response:
    """The node becomes the one that is sent."""
    node, id = await NODE_AS_IT_SHALL_BE.of(request), request.path_params["node_id"]
    return await edit_nodes(request, replacing(id, node), lambda stored: node_answer(stored, id), node=id)


async def remove_node(request: Request) -> Response:
    """The node leaves."""
    id = request.path_params["node_id"]
    gone = responses.json_response({"message": "Node deleted"})
    return await edit_nodes(request, leaving(id), lambda _: gone, node=id)


async def synchronise_nodes(request: Request) -> Response:
    """The cluster has the nodes that are sent, and no others."""
    return await edit_nodes(request, synchronising(await NODES.of(request)), _nodes)


def as_it_is(body: Value) -> Value:
    """A body that the command reads."""
    return body


async def edit_nodes(request: Request, edit: NodeEdit, answer: Answering, *, node: str | None = None) -> Response:
    """The answer to an edit of a cluster's nodes. ``node``: the id of the one that has to be there."""
    registry, id = registry_of(request), request.path_params["id"]
    command = EditNodes(id, edit, rules_of(request), node, precondition_of(request), registry.limits)
    return await write(request, command, answer)


async def _nodes(stored: WriteResult) -> Response:
    """The list of nodes after a write."""
    assert stored.body is not None
    body = await _read(stored.body, lambda body: encode_json(nodes_in(decode_stored(body))))
    return responses.stored(stored, body=body)


async def node_answer(stored: WriteResult, id: str) -> Response:
    """One node after a write, with its address where it joined."""
    assert stored.body is not None
    status = 201 if stored.outcome == "joined" else 200
    place = f"/clusters/{quote(stored.id, safe='')}/nodes/{quote(id, safe='')}"
    body = await _read(stored.body, lambda body: encode_json(node_in(body, id)))
    return responses.stored(stored, body=body, status=status, headers={"location": place} if status == 201 else None)


async def _part_of(entry: Entry, request: Request, read: Callable[[bytes], bytes]) -> Response:
    """A part of a cluster, with the cluster's entity tag; or 304 when the caller has that already."""
    part = await _read(entry.body, read)
    seen = tag_seen(request, entry.revision)
    if seen is not None:
        return responses.not_modified(seen)
    return responses.document(part, revision=entry.revision)


async def _read(body: bytes, read: Callable[[bytes], bytes]) -> bytes:
    """What ``read`` makes of a cluster's JSON. A large one is read on a thread, so that it holds nobody up."""
    if len(body) <= READ_INLINE_BYTES_MAX:
        return read(body)
    return await off_the_loop(lambda: read(body), size_bytes=len(body))


AS_IT_SHALL_BE = {
    "gpus": {"count": 1, "memory": 16384, "gpus": [{"modelName": "NVIDIA T4", "memory": 16384}]},
    "vcpus": {"count": 16},
    "memory": 65536,
    "swap": 0,
    "storage": {"disks": 1, "size": 524288},
    "network": {"interfaces": 1, "txBandwidth": 10000, "rxBandwidth": 10000},
}
EXAMPLE = {"id": "node-3", **AS_IT_SHALL_BE}
NODE = Body(as_it_is, reference("NewNode"), "a node, which joins, or takes the place of the node with its id", EXAMPLE)
NODE_AS_IT_SHALL_BE = Body(as_it_is, reference("NodeReplacement"), "the node as it shall be", AS_IT_SHALL_BE)
NODES = Body(as_it_is, array_of(reference("NewNode")), "an array: the cluster has these nodes and no others", [EXAMPLE])
WRITES = (headers.IF_MATCH, headers.REASON)
AFTER_JOINING = (headers.ETAG, headers.WARNING, headers.IDEMPOTENCY_REPLAYED)
AFTER_WRITE = Answer(200, "the node", reference("Node"), (headers.ETAG, headers.WARNING))
REFUSES = (errors.ClusterNotFound, errors.PreconditionFailed, errors.DocumentInvalid)

OPERATIONS = (
    Operation(
        name="listNodes",
        method="GET",
        path="/clusters/{id}/nodes",
        handler=read_nodes,
        tag="nodes",
        summary="List the nodes of a cluster",
        verb="read",
        parameters=(REVISION, AT),
        headers=(headers.IF_NONE_MATCH,),
        answers=(
            Answer(200, "the array of nodes", array_of(reference("Node")), (headers.ETAG,)),
            NOT_MODIFIED,
        ),
        refuses=(errors.ClusterNotFound, *OF_THE_PAST),
    ),
    Operation(
        name="replaceNodes",
        method="PUT",
        path="/clusters/{id}/nodes",
        handler=synchronise_nodes,
        tag="nodes",
        summary="Replace all nodes of a cluster",
        verb="nodes",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=WRITES,
        body=NODES,
        answers=(
            Answer(200, "the array after it", array_of(reference("Node")), (headers.ETAG, headers.WARNING)),
            DRY_RUN_ANSWER,
        ),
        refuses=REFUSES,
    ),
    Operation(
        name="joinNode",
        method="POST",
        path="/clusters/{id}/nodes",
        handler=join_node,
        tag="nodes",
        summary="Add or replace a node",
        verb="nodes",
        parameters=(FIELD_VALIDATION, ON_CONFLICT, DRY_RUN),
        headers=(*WRITES, headers.IDEMPOTENCY_KEY),
        body=NODE,
        answers=(
            Answer(
                201,
                "the node",
                reference("Node"),
                (headers.LOCATION, *AFTER_JOINING),
            ),
            Answer(
                200,
                "the node, when it took a place",
                reference("Node"),
                AFTER_JOINING,
            ),
            DRY_RUN_ANSWER,
        ),
        refuses=(*REFUSES, errors.NodeExists, errors.IdempotencyKeyReused),
    ),
    Operation(
        name="getNode",
        method="GET",
        path="/clusters/{id}/nodes/{node_id:path}",
        handler=read_node,
        tag="nodes",
        summary="Read a node",
        verb="read",
        parameters=(REVISION, AT),
        headers=(headers.IF_NONE_MATCH,),
        answers=(Answer(200, "the node", reference("Node"), (headers.ETAG,)), NOT_MODIFIED),
        refuses=(errors.ClusterNotFound, errors.NodeNotFound, *OF_THE_PAST),
    ),
    Operation(
        name="replaceNode",
        method="PUT",
        path="/clusters/{id}/nodes/{node_id:path}",
        handler=replace_node,
        tag="nodes",
        summary="Replace a node",
        verb="nodes",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=WRITES,
        body=NODE_AS_IT_SHALL_BE,
        answers=(AFTER_WRITE, DRY_RUN_ANSWER),
        refuses=(*REFUSES, errors.NodeNotFound),
    ),
    Operation(
        name="removeNode",
        method="DELETE",
        path="/clusters/{id}/nodes/{node_id:path}",
        handler=remove_node,
        tag="nodes",
        summary="Remove a node",
        verb="nodes",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=WRITES,
        answers=(Answer(200, '`{"message": "Node deleted"}`', reference("Message")), DRY_RUN_ANSWER),
        refuses=(errors.ClusterNotFound, errors.PreconditionFailed, errors.NodeNotFound),
    ),
)
