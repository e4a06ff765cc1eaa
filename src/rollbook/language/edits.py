"""An edit: an update of either form, as one value. An object is an update document, an array a pipeline.

One rule: every update of a document goes through here, so both forms mean the same everywhere.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import UpdateRefused, below
from rollbook.language.filters import Filter
from rollbook.language.foreign import misplaced
from rollbook.language.pipelines import compile_update_stages, parse_update_stages
from rollbook.language.pipelines.updating import UpdateStages
from rollbook.language.updates import compile_update, parse_update, touched_paths
from rollbook.language.updates.nodes import Update
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget


class Edit(Struct, frozen=True):
    """A parsed update. ``filter`` gives positional ``$`` its position.

    ``touched`` are the paths that the update names; None when only the result shows them (pipelines).
    """

    update: Update | UpdateStages
    touched: frozenset[Path] | None
    filter: Filter | None = None


def parse_edit(
    update: Value,
    *,
    array_filters: Maybe = MISSING,
    filter: Filter | None = None,
    at: str = "",
    identity: str = "id",
    bare: Literal["set", "replace"] = "set",
    limits: Limits = DEFAULT_LIMITS,
) -> Edit:
    """The edit that ``update`` means. ``filter`` gives positional ``$`` its position.

    ``bare`` says what an update without operators means: ``$set`` of its fields, or a replacement document.
    Refuses (UpdateRefused) what the update language does not allow.
    """
    if isinstance(update, list):
        if array_filters not in (MISSING, []):
            raise UpdateRefused("arrayFilters can't be used with a pipeline", at=at, mongo_code=9)
        stages = parse_update_stages(update, at=at, identity=identity, limits=limits)
        return Edit(stages, None)
    parsed = parse_update(update, array_filters=array_filters, at=at, identity=identity, bare=bare, limits=limits)
    return Edit(parsed, touched_paths(parsed), filter)


def compile_edit(
    edit: Edit, *, work: RequestBudget | None = None, inserts: bool = False
) -> Callable[[Document], Document]:
    """The function that gives the document after the update, and the very same object when nothing changes.

    With ``inserts`` it is given new documents: no filter has chosen them, and ``$setOnInsert`` sets their fields.

    Applying it spends from ``work``; ``$$NOW`` and ``$currentDate`` are the time at which it was compiled.
    """
    if isinstance(edit.update, UpdateStages):
        return compile_update_stages(edit.update, work=work)
    return compile_update(edit.update, filter=None if inserts else edit.filter, work=work, inserts=inserts)


def parse_update_body(body: Value) -> tuple[Value, Maybe, Maybe, str]:
    """The parts of a request body that updates: the update, its array filters, its condition, and where the update is.

    ``{"update": ..., "arrayFilters": [...], "filter": ...}`` says them apart; any other body is the update itself.
    The options of the answer (``returnDocument``, ``projection``) are read elsewhere; a ``comment`` means nothing.
    """
    if not isinstance(body, dict) or "update" not in body:
        return body, MISSING, MISSING, ""
    for key in body:
        if key not in UPDATE_BODY_KEYS:
            raise UpdateRefused(misplaced(key, UPDATE_BODY_KEYS, beside="update"), at=below("", key), mongo_code=9)
    return body["update"], body.get("arrayFilters", MISSING), body.get("filter", MISSING), "/update"


UPDATE_BODY_KEYS = ("update", "arrayFilters", "filter", "returnDocument", "projection", "comment")
