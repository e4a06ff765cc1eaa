"""The operations that rewrite a cluster's document: patches of both kinds, and whole documents."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import media_type_of, precondition_of, registry_of
from rollbook.api.declarations import JSON, JSON_PATCH, MERGE_PATCH, Body, Operation, array_of, reference
from rollbook.api.handlers.clusters import AFTER_UPDATE, rules_of
from rollbook.api.parameters import DRY_RUN, FIELD_VALIDATION
from rollbook.api.problems import problem
from rollbook.api.writing import DRY_RUN_ANSWER, write
from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.errors import MediaTypeUnsupported, RegistryError
from rollbook.language.strays import check_update_words
from rollbook.limits import Limits
from rollbook.registry.reading.update_requests import BESIDE_AN_UPDATE
from rollbook.registry.writing.document_commands import (
    DocumentChange,
    Rewrite,
    json_patching,
    merging,
    replacing_document,
)

PATCHES = (JSON, MERGE_PATCH, JSON_PATCH)
BESIDE_A_PATCH = {name: f"an update, by PUT to the same address: {meant}" for name, meant in BESIDE_AN_UPDATE.items()}


async def patch_cluster(request: Request) -> Response:
    """The document after a patch."""
    change = await PATCH.of(request, media_type=media_type_of(request), limits=registry_of(request).limits)
    return await write(request, _rewrite(request, *change), responses.stored)


async def replace_document(request: Request) -> Response:
    """The document after it was replaced."""
    change = await DOCUMENT.of(request, request.path_params["id"])
    return await write(request, _rewrite(request, *change), responses.stored)


def refused_patch(refusal: RegistryError) -> Response:
    """A problem; where it is about the media type, with those that are taken (RFC 5789)."""
    accepted = {headers.ACCEPT_PATCH.name.lower(): ", ".join(PATCHES)}
    return problem(refusal, headers=accepted if isinstance(refusal, MediaTypeUnsupported) else None)


def check_patch_type(media_type: str) -> None:
    """Refuses (MediaTypeUnsupported) what is no patch."""
    if media_type not in PATCHES:
        raise MediaTypeUnsupported(f"a patch is sent as {' or '.join(PATCHES)}, not as {media_type!r}")


def parse_cluster_patch(
    body: Value, *, media_type: str, limits: Limits
) -> tuple[DocumentChange, frozenset[Path] | None]:
    """The change that the body of a PATCH means, by its media type."""
    check_patch_type(media_type)
    if media_type == JSON_PATCH:
        return json_patching(body, limits=limits)
    check_stray_words(body, media_type=media_type, options=BESIDE_A_PATCH)
    return merging(body)


def check_stray_words(body: Value, *, media_type: str, options: Mapping[str, str]) -> None:
    """Refuses (UpdateRefused) words of the language where members stand, as in an update.

    A body that is called a merge patch is taken at its word.
    """
    if media_type == JSON:
        check_update_words(body, at="", options=options)


def parse_document(body: Value, id: str) -> tuple[DocumentChange, frozenset[Path] | None]:
    """The change that a whole document means."""
    return replacing_document(id, body)


def _rewrite(request: Request, change: DocumentChange, touched: frozenset[Path] | None) -> Rewrite:
    registry, id = registry_of(request), request.path_params["id"]
    return Rewrite(id, change, touched, rules_of(request), precondition_of(request), registry.limits)


JSON_PATCH_BODY = (array_of(reference("PatchOperation")), [{"op": "replace", "path": "/status", "value": "draining"}])
PATCH = Body(
    parse_cluster_patch,
    reference("ClusterPatch"),
    "a JSON Merge Patch, or a JSON Patch",
    {"status": "draining", "clusterMetadata": {"email": None}},
    media_types=PATCHES,
    others={JSON_PATCH: JSON_PATCH_BODY},
)
DOCUMENT = Body(
    parse_document,
    reference("ClusterReplacement"),
    "the [document](documents.md) as it shall be",
    {
        "regionId": "us-west-2",
        "config": {"publicHostname": "west.example.net"},
        "clusterMetadata": {"name": "West", "description": "An example", "owner": "Platform team"},
    },
)
REFUSES = (errors.ClusterNotFound, errors.PreconditionFailed, errors.DocumentInvalid, errors.IdImmutable)

OPERATIONS = (
    Operation(
        name="patchCluster",
        method="PATCH",
        path="/clusters/{id}",
        handler=patch_cluster,
        tag="clusters",
        summary="Patch a cluster",
        verb="update",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.IF_MATCH, headers.REASON),
        body=PATCH,
        answers=(AFTER_UPDATE, DRY_RUN_ANSWER),
        refuses=(*REFUSES, errors.UpdateRefused),
        refused=refused_patch,
    ),
    Operation(
        name="replaceDocument",
        method="PUT",
        path="/clusters/{id}/document",
        handler=replace_document,
        tag="clusters",
        summary="Replace the document of a cluster",
        verb="update",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.IF_MATCH, headers.REASON),
        body=DOCUMENT,
        answers=(AFTER_UPDATE, DRY_RUN_ANSWER),
        refuses=REFUSES,
    ),
)
