"""The language applied to plain documents: find, match, update, aggregate, each in one call.

One rule: nothing is decided here. Each call reads what it is given and applies it, by the functions that serve the
registry; who asks the same of many documents one by one keeps what ``compile_filter`` and its kin give.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Literal

from rollbook.documents.values import INT64_MAX, MISSING, Document, Maybe, Value, is_number
from rollbook.errors import LanguageRefused
from rollbook.language.edits import compile_edit, parse_edit
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.language.pipelines import parse_pipeline, run_pipeline
from rollbook.language.projections import compile_projection, parse_projection
from rollbook.language.sorting import compile_sort, parse_sort
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget


def find(
    documents: Iterable[Document],
    filter: Value,
    *,
    sort: Value = None,
    skip: Value = 0,
    limit: Value = 0,
    projection: Value = None,
    identity: str = "id",
    limits: Limits = DEFAULT_LIMITS,
    work: RequestBudget | None = None,
) -> list[Document]:
    """The documents that match the filter, in the order of ``sort``, else in their own; ``limit`` 0 means no limit.

    Without a projection they are the very objects given. ``identity`` is the field that a projection shows unless it
    excludes it. Refuses (LanguageRefused) what the language does not allow, before it looks at a document.
    """
    condition = parse_filter(filter, at="/filter", limits=limits)
    place = None if sort is None else compile_sort(parse_sort(sort, at="/sort"))
    skipped, most = _count(skip, at="/skip"), _count(limit, at="/limit")
    shown = None
    if projection is not None:
        parsed = parse_projection(projection, at="/projection", identity=identity, limits=limits)
        shown = compile_projection(parsed, filter=condition, work=work)
    matches = compile_filter(condition, work=work)
    found = (document for document in documents if matches(document))
    ordered = found if place is None else sorted(found, key=place)
    chosen = islice(ordered, skipped, min(skipped + most, INT64_MAX) if most else None)
    return list(chosen if shown is None else map(shown, chosen))


def _count(value: Value, *, at: str) -> int:
    if not is_number(value) or not float(value).is_integer():
        raise LanguageRefused(f"{at[1:]!r} must be an integer", at=at, mongo_code=14)
    if not 0 <= value <= INT64_MAX:
        raise LanguageRefused(f"{at[1:]!r} must not be negative", at=at, mongo_code=2)
    return int(value)


def matches(
    document: Document, filter: Value, *, limits: Limits = DEFAULT_LIMITS, work: RequestBudget | None = None
) -> bool:
    """Whether the document matches the filter."""
    return compile_filter(parse_filter(filter, at="/filter", limits=limits), work=work)(document)


def update(
    document: Document,
    update: Value,
    *,
    array_filters: Maybe = MISSING,
    filter: Maybe = MISSING,
    identity: str = "id",
    bare: Literal["set", "replace"] = "set",
    limits: Limits = DEFAULT_LIMITS,
    work: RequestBudget | None = None,
) -> Document:
    """The document after the update, a new one; the very same object when nothing changes. It is never mutated.

    An object is an update document, an array a pipeline. ``filter`` gives positional ``$`` its position; a document
    that it does not match is left as it is. ``bare`` says what an update without operators means: ``$set`` of its
    fields, or a replacement. No update changes the field ``identity``.
    """
    condition = None if filter is MISSING else parse_filter(filter, at="/filter", limits=limits)
    edit = parse_edit(
        update,
        array_filters=array_filters,
        filter=condition,
        at="/update",
        identity=identity,
        bare=bare,
        limits=limits,
    )
    if condition is not None and not compile_filter(condition, work=work)(document):
        return document
    return compile_edit(edit, work=work)(document)


def aggregate(
    documents: Iterable[Document],
    pipeline: Value,
    *,
    identity: str = "id",
    limits: Limits = DEFAULT_LIMITS,
    work: RequestBudget | None = None,
) -> list[Document]:
    """What comes out when the documents go through the stages of the pipeline."""
    parsed = parse_pipeline(pipeline, at="/pipeline", identity=identity, limits=limits)
    return run_pipeline(parsed, documents, work=work or RequestBudget(bytes_left=limits.result_bytes_max))
