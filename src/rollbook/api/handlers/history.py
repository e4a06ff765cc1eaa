"""The routes of the past: history, restoring, and protection, which keeps a cluster from getting into it."""

from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import (
    REASON_LENGTH_MAX,
    caller_of,
    check_parameters,
    flag_value,
    parsed_optional_body,
    precondition_of,
    reason_of,
)
from rollbook.api.handlers.clusters import registry_of, rules_of
from rollbook.errors import RequestRefused
from rollbook.registry.feed.change_events import Detail
from rollbook.registry.history.history import HistoryPage
from rollbook.registry.history.moments import parse_revision
from rollbook.registry.history.restoring import parse_restore, restoration
from rollbook.registry.writing.protecting import Protect, parse_reason

LIMIT = 100
LIMIT_MAX = 1000
COMPACTED_HEADER = "x-registry-compacted"


async def read_history(request: Request) -> Response:
    """``GET /clusters/{id}/history``: who changed the cluster, newest first."""
    check_parameters(request, ("before", "limit", "as"))
    registry, id = registry_of(request), request.path_params["id"]
    page = await registry.history.of(
        id, before=_revision(request, "before"), limit=_limit(request), form=_form(request)
    )
    return _changes(request, page, going_on="before")


async def read_changes(request: Request) -> Response:
    """``GET /changes``: what changed in the fleet, oldest first."""
    check_parameters(request, ("since", "limit", "as"))
    registry = registry_of(request)
    page = await registry.history.changes(since=_revision(request, "since"), limit=_limit(request), form=_form(request))
    return _changes(request, page, going_on="since")


async def restore_cluster(request: Request) -> Response:
    """``POST /clusters/{id}/restore``: the cluster, as it was at a revision or before its deletion."""
    registry = registry_of(request)
    command = await restoration(
        registry.history,
        request.path_params["id"],
        await parsed_optional_body(request, parse_restore, limits=registry.limits),
        rules=rules_of(request),
        precondition=precondition_of(request),
        limits=registry.limits,
    )
    reason = reason_of(request) or command.reason
    return responses.stored(await registry.write(caller_of(request), command, reason=reason))


async def protect_cluster(request: Request) -> Response:
    """``PUT /clusters/{id}/protection``: the cluster can't be deleted any more."""
    return await _protection(request, protected=True)


async def unprotect_cluster(request: Request) -> Response:
    """``DELETE /clusters/{id}/protection``: it can be deleted again."""
    return await _protection(request, protected=False)


async def _protection(request: Request, *, protected: bool) -> Response:
    registry = registry_of(request)
    reason = await parsed_optional_body(request, parse_reason, limits=registry.limits)
    reason = reason_of(request) if reason is None else reason[:REASON_LENGTH_MAX]
    command = Protect(request.path_params["id"], protected, precondition_of(request))
    stored = await registry.write(caller_of(request), command, reason=reason)
    headers = {"etag": responses.entity_tag(stored.revision)}
    return responses.json_response({"protected": protected}, headers=headers)


def _changes(request: Request, page: HistoryPage, *, going_on: str) -> Response:
    """A page of changes, with the address of the next one when there is more."""
    registry = registry_of(request)
    response = responses.documents(page.items, revision=registry.view.revision, form=responses.form_of(request))
    response.headers[COMPACTED_HEADER] = str(registry.compactor.mark)
    if page.last is not None:
        following = request.url.include_query_params(**{going_on: page.last})
        response.headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return response


def _revision(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    return None if text is None else parse_revision(text, name=name)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LIMIT))
    if text.isascii() and text.isdigit() and len(text) <= len(str(LIMIT_MAX)) and 1 <= int(text) <= LIMIT_MAX:
        return int(text)
    raise RequestRefused(f"limit must be a whole number from 1 to {LIMIT_MAX}, not {text[:50]!r}")


def _form(request: Request) -> Detail:
    return cast(Detail, flag_value(request, "as", get_args(Detail), default="patch"))
