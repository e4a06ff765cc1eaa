"""Patching one node: by a merge patch, by update operators, or by a JSON Patch."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api.asking import media_type_of, registry_of
from rollbook.api.declarations import JSON_PATCH, MERGE_PATCH, Answer, Body, Operation, array_of, reference
from rollbook.api.handlers.nodes import AFTER_WRITE, REFUSES, WRITES, edit_nodes, node_answer
from rollbook.api.handlers.patches import PATCHES, check_patch_type, check_stray_words, refused_patch
from rollbook.api.parameters import DRY_RUN, FIELD_VALIDATION
from rollbook.api.writing import DRY_RUN_ANSWER
from rollbook.clusters.casting import cast_update
from rollbook.documents.json_patches import parse_json_patch, patched
from rollbook.documents.merging import merged_members
from rollbook.documents.values import Document, Value
from rollbook.errors import UpdateRefused
from rollbook.language.edits import compile_edit, parse_edit
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.writing.node_edits import (
    NodeChange,
    NodeEdit,
    patching,
    place_in_json_patch,
    place_in_patch,
)

BESIDE_A_CONDITION = 'PUT /clusters/{id}, which takes {"update": {...}, "filter": {...}}, or send If-Match'
BESIDE_A_PATCH = {
    "update": 'the operators themselves: {"$set": {...}}',
    "filter": BESIDE_A_CONDITION,
    "query": BESIDE_A_CONDITION,
    "arrayFilters": 'PUT /clusters/{id}, which takes {"update": {...}, "arrayFilters": [...]}',
    **dict.fromkeys(("returnDocument", "projection"), "nothing of it, for the answer is the node after the patch"),
    "comment": "nothing of it, or send X-Reason",
    "upsert": "nothing of it, for a patch makes no node (POST /clusters/{id}/nodes does)",
    "multi": "nothing of it, for a patch changes one node",
}


async def patch_node(request: Request) -> Response:
    """The node after a patch."""
    id = request.path_params["node_id"]
    edit = await PATCH.of(request, id=id, media_type=media_type_of(request), limits=registry_of(request).limits)
    return await edit_nodes(request, edit, lambda stored: node_answer(stored, id), node=id)


def parse_patch(body: Value, *, id: str, media_type: str, limits: Limits) -> NodeEdit:
    """The edit of a node that a PATCH body asks for."""
    check_patch_type(media_type)
    if media_type == JSON_PATCH:
        return _parse_json_patch(body, id=id, limits=limits)
    change = _change_of(body, media_type=media_type, limits=limits)
    return patching(id, change, locate=lambda inside: place_in_patch(body, inside))


def _change_of(body: Value, *, media_type: str, limits: Limits) -> NodeChange:
    """What a PATCH body does to a node: update operators when it has any, else a JSON Merge Patch."""
    if not isinstance(body, dict):
        raise UpdateRefused("a patch is an object: members to merge, or update operators", mongo_code=9)
    check_stray_words(body, media_type=media_type, options=BESIDE_A_PATCH)
    if not any(name.startswith("$") for name in body):
        return lambda node, budget: merged_members(node, body)
    if media_type == MERGE_PATCH:
        raise UpdateRefused(
            "a merge patch has no operators; send them with Content-Type: application/json", mongo_code=9
        )
    edit = parse_edit(cast_update(body), limits=limits)
    return lambda node, budget: compile_edit(edit, work=budget)(node)


def _parse_json_patch(body: Value, *, id: str, limits: Limits) -> NodeEdit:
    operations = parse_json_patch(body, limits=limits)

    def change(node: Document, budget: RequestBudget) -> Document:
        after = patched(node, operations, work=budget, limits=limits)
        if not isinstance(after, dict):
            raise UpdateRefused("after the patch the node would be no object", mongo_code=9)
        return after

    return patching(id, change, locate=lambda inside: place_in_json_patch(operations, inside))


PATCH = Body(
    parse_patch,
    reference("NodePatch"),
    "a JSON Merge Patch, update operators, or a JSON Patch",
    {"memory": 98304},
    media_types=PATCHES,
    others={
        JSON_PATCH: (array_of(reference("PatchOperation")), [{"op": "replace", "path": "/memory", "value": 98304}])
    },
)

OPERATIONS = (
    Operation(
        name="patchNode",
        method="PATCH",
        path="/clusters/{id}/nodes/{node_id:path}",
        handler=patch_node,
        tag="nodes",
        summary="Change members of a node",
        verb="nodes",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=WRITES,
        body=PATCH,
        answers=(Answer(200, "the node after it", AFTER_WRITE.schema, AFTER_WRITE.headers), DRY_RUN_ANSWER),
        refuses=(*REFUSES, errors.NodeNotFound, errors.UpdateRefused, errors.IdImmutable),
        refused=refused_patch,
    ),
)
