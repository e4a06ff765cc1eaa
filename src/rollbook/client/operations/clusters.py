"""Clusters: create, read, change and delete them, and find them."""

from typing import Any
from urllib.parse import parse_qsl

from rollbook.client.arrays import ArrayDecoder
from rollbook.client.calls import Call, Json, Stream, encoded, headers_of, parameters_of, patch_type_of, path_of
from rollbook.client.replies import (
    Page,
    Reply,
    Snapshot,
    document,
    documents,
    nothing,
    page,
    rehearsed,
    value,
)
from rollbook.client.tables import Table, table_of


def create(
    cluster: Json, *, strict: bool = False, reason: str | None = None, key: str | None = None, dry_run: bool = False
) -> Call[Reply]:
    """Create a cluster, or with ``dry_run`` only say what it would be.

    ``key`` is an idempotency key, with which the call may be sent again.
    """
    return Call(
        "POST",
        "/clusters",
        rehearsed if dry_run else document,
        parameters=validation(strict, dry_run),
        headers=headers_of(reason=reason, key=key),
        body=encoded(cluster),
        repeatable=key is not None or dry_run,
    )


def read(
    id: str,
    *,
    revision: int | None = None,
    at: str | None = None,
    include: list[str] | None = None,
    fields: list[str] | None = None,
) -> Call[Reply]:
    """The document of a cluster, or some ``fields`` of it: as it is, or as it was at a revision or a time."""
    return Call(
        "GET",
        path_of("clusters", id),
        document,
        parameters=parameters_of(revision=revision, at=at, include=include, fields=fields),
        repeatable=True,
    )


def list_clusters(
    *, where: str | None = None, sort: list[str] | None = None, limit: int | None = None, **parameters: Any
) -> Call[Page]:
    """The first page of clusters. ``parameters`` are ``region``, ``tag``, ``q``, ``fields`` and the others of HTTP."""
    given = parameters_of(where=where, sort=sort, limit=limit, **parameters)
    return Call("GET", "/clusters", page, parameters=given, repeatable=True)


def following(last: Page) -> Call[Page]:
    """The page after a page of ``list``; its ``next`` says that there is one."""
    path, _, query = (last.next or "/clusters").partition("?")
    return Call("GET", path, page, parameters=dict(parse_qsl(query)), repeatable=True)


def update(
    id: str,
    update: Any,
    *,
    if_match: str | None = None,
    strict: bool = False,
    upsert: bool = False,
    reason: str | None = None,
    dry_run: bool = False,
) -> Call[Reply]:
    """Apply an update; with ``if_match`` (the ``etag`` of a reply) only to the document that was read then.

    With ``upsert`` a cluster that is not there is created. With ``dry_run`` nothing is written: the reply has what
    would be.
    """
    return Call(
        "PUT",
        path_of("clusters", id),
        rehearsed if dry_run else document,
        parameters={**validation(strict, dry_run), **({"upsert": "true"} if upsert else {})},
        headers=headers_of(if_match=if_match, reason=reason),
        body=encoded(update),
        repeatable=if_match is not None,
    )


def patch(
    id: str,
    patch: Any,
    *,
    if_match: str | None = None,
    reason: str | None = None,
    repeatable: bool | None = None,
    dry_run: bool = False,
) -> Call[Reply]:
    """Change a document by a JSON Merge Patch (an object) or by a JSON Patch (a list of operations).

    With ``if_match`` it is sent again when its answer is lost, unless ``repeatable`` is False.
    """
    headers = {**headers_of(if_match=if_match, reason=reason), "content-type": patch_type_of(patch)}
    return Call(
        "PATCH",
        path_of("clusters", id),
        rehearsed if dry_run else document,
        parameters=validation(False, dry_run),
        headers=headers,
        body=encoded(patch),
        repeatable=if_match is not None if repeatable is None else repeatable,
    )


def replace(id: str, cluster: Json, *, if_match: str | None = None, reason: str | None = None) -> Call[Reply]:
    """Replace the whole document; what the registry fills stays where it is left out."""
    path, headers = path_of("clusters", id, "document"), headers_of(if_match=if_match, reason=reason)
    return Call("PUT", path, document, headers=headers, body=encoded(cluster), repeatable=if_match is not None)


def delete(id: str, *, if_match: str | None = None, reason: str | None = None) -> Call[None]:
    """Delete a cluster."""
    return Call(
        "DELETE",
        path_of("clusters", id),
        nothing,
        headers=headers_of(if_match=if_match, reason=reason),
        repeatable=if_match is not None,
    )


def validate(cluster: Json, *, strict: bool = False) -> Call[Json]:
    """Judge a document: whether it could be created, if its id were free, and what it would be as stored."""
    body = encoded(cluster)
    return Call("POST", "/clusters/validate", value, parameters=validation(strict), body=body, repeatable=True)


def restore(
    id: str, revision: int | None = None, *, if_match: str | None = None, reason: str | None = None
) -> Call[Reply]:
    """Bring a cluster back to what it was at ``revision``; a deleted one, without it, to what it was last."""
    return Call(
        "POST",
        path_of("clusters", id, "restore"),
        document,
        headers=headers_of(if_match=if_match, reason=reason),
        body=encoded({} if revision is None else {"revision": revision}),
        repeatable=if_match is not None,
    )


def protect(id: str, *, if_match: str | None = None, reason: str | None = None) -> Call[None]:
    """Protect a cluster against deletion."""
    return _protection("PUT", id, if_match, reason)


def unprotect(id: str, *, if_match: str | None = None, reason: str | None = None) -> Call[None]:
    """Lift the protection of a cluster."""
    return _protection("DELETE", id, if_match, reason)


def query(
    filter: Json | None = None, *, revision: int | None = None, at: str | None = None, **options: Any
) -> Stream[Json]:
    """The documents that match, one by one as they arrive, as they are or were at a revision or a time.

    ``options`` are ``sort``, ``skip``, ``limit`` and others.
    """
    moment, body = parameters_of(revision=revision, at=at), encoded(_question(filter, options))
    call = Call("POST", "/clusters/query", nothing, parameters=moment, body=body, repeatable=True)
    return Stream(call, ArrayDecoder)


def aggregate(pipeline: list[Json], **options: Any) -> Stream[Json]:
    """The documents that come out of a pipeline, one by one as they arrive."""
    body = encoded({"pipeline": pipeline, **options})
    return Stream(Call("POST", "/clusters/aggregate", nothing, body=body, repeatable=True), ArrayDecoder)


def snapshot(filter: Json | None = None, **options: Any) -> Call[Snapshot]:
    """All documents that match, and the revision of which they are: where a watch goes on from them."""
    body = encoded(_question(filter, options))
    return Call("POST", "/clusters/query", documents, body=body, repeatable=True)


def count(filter: Json | None = None, **options: Any) -> Call[int]:
    """How many clusters match."""
    body = encoded(_question(filter, options))
    return Call("POST", "/clusters/count", lambda answer: int(value(answer)["count"]), body=body, repeatable=True)


def facets(facets: list[Any], filter: Json | None = None, **options: Any) -> Call[Json]:
    """How many of the matching clusters have which values at some paths."""
    body = encoded({"facets": facets, **_question(filter, options)})
    return Call("POST", "/clusters/facets", value, body=body, repeatable=True)


def distinct(key: str, filter: Json | None = None, **options: Any) -> Call[list[Any]]:
    """The distinct values at a path of the matching clusters."""
    body = encoded({"key": key, **_question(filter, options)})
    return Call("POST", "/clusters/distinct", value, body=body, repeatable=True)


def table(columns: list[str], filter: Json | None = None, **options: Any) -> Call[Table]:
    """Columns of the matching clusters, by their paths; ``to_pandas`` makes a DataFrame of them."""
    body = encoded({"columns": columns, **_question(filter, options)})
    return Call("POST", "/clusters/table", table_of, body=body, repeatable=True)


def fit(filter: Json | None = None, **needs: Any) -> Call[Json]:
    """Which of the matching clusters can place something; ``needs`` are ``gpus``, ``gpuModel`` and others."""
    body = encoded({"query": filter or {}, **needs})
    return Call("POST", "/clusters/fit", value, body=body, repeatable=True)


def explain(filter: Json | None = None, **options: Any) -> Call[Json]:
    """How a query is answered, in words and numbers."""
    body = encoded(_question(filter, options))
    return Call("POST", "/clusters/explain", value, body=body, repeatable=True)


def _protection(method: str, id: str, if_match: str | None, reason: str | None) -> Call[None]:
    headers = headers_of(if_match=if_match, reason=reason)
    return Call(method, path_of("clusters", id, "protection"), nothing, headers=headers, repeatable=True)


def validation(strict: bool, dry_run: bool = False) -> dict[str, str]:
    """The parameters that say how strictly documents are judged, and whether anything is written."""
    return ({"fieldValidation": "strict"} if strict else {}) | ({"dryRun": "true"} if dry_run else {})


def _question(filter: Json | None, options: Json) -> Json:
    """The body of a question: the filter under ``query``, unless the options ask in words (``where``)."""
    return options if filter is None and "where" in options else {"query": filter or {}, **options}
