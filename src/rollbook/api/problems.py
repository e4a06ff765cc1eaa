"""Refusals as answers: one table from error classes to statuses, and the body that says what, where and why.

Bodies are problem details (RFC 9457) with the extra member ``error``, which the existing clients read.
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from rollbook import errors
from rollbook.api.mongo_codes import mongo_code_name
from rollbook.errors import RegistryError

STATUSES: Mapping[type[RegistryError], int] = {
    errors.RegistryError: 500,
    errors.RequestRefused: 400,
    errors.MalformedJson: 400,
    errors.JsonTooDeep: 400,
    errors.IdRefused: 400,
    errors.HeartbeatRefused: 400,
    errors.CursorRefused: 400,
    errors.WebhookRefused: 400,
    errors.SessionRefused: 400,
    errors.LanguageRefused: 400,
    errors.FilterRefused: 400,
    errors.UpdateRefused: 400,
    errors.ExpressionRefused: 400,
    errors.ProjectionRefused: 400,
    errors.SortRefused: 400,
    errors.PipelineRefused: 400,
    errors.WorkExceeded: 400,
    errors.RouteNotFound: 404,
    errors.ClusterNotFound: 404,
    errors.NodeNotFound: 404,
    errors.WebhookNotFound: 404,
    errors.DeadLetterNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.ClusterExists: 409,
    errors.ClusterProtected: 409,
    errors.Unauthenticated: 401,
    errors.PermissionDenied: 403,
    errors.TooManyWrongTokens: 429,
    errors.RateExceeded: 429,
    errors.TooManyWatches: 429,
    errors.CrossOriginRefused: 403,
    errors.TokenNotFound: 404,
    errors.RoleNotFound: 404,
    errors.TokenExists: 409,
    errors.RoleInUse: 409,
    errors.NodeExists: 409,
    errors.WebhookExists: 409,
    errors.TooManyWebhooks: 409,
    errors.ClusterDeleted: 410,
    errors.Compacted: 410,
    errors.PreconditionFailed: 412,
    errors.RevisionNotReached: 412,
    errors.BodyIncomplete: 408,
    errors.HeadIncomplete: 408,
    errors.BodyTooLarge: 413,
    errors.MediaTypeUnsupported: 415,
    errors.MisdirectedRequest: 421,
    errors.DocumentInvalid: 422,
    errors.IdempotencyKeyReused: 422,
    errors.IdImmutable: 422,
    errors.BatchRefused: 424,
    errors.HeadTooLarge: 431,
    errors.Overloaded: 503,
    errors.JournalUnavailable: 503,
    errors.AppendUndecided: 503,
    errors.JournalForbidden: 503,
    errors.JournalDamaged: 503,
    errors.JournalConflict: 503,
    errors.TooManyWatchers: 503,
    errors.DataDirectoryLocked: 503,
    errors.RegistryUnreachable: 503,
    errors.DataDirectoryUnsound: 503,
    errors.ChangesLost: 503,
    errors.BackupRefused: 422,
    errors.SettingRefused: 500,
}

MISTAKE = "the registry made a mistake; its log says more"
MEDIA_TYPE = "application/problem+json"


def status_of(error: RegistryError) -> int:
    """The HTTP status of an error: its own, or that of its nearest ancestor in the table."""
    for ancestor in type(error).__mro__:
        if ancestor in STATUSES:
            return STATUSES[ancestor]
    return 500


def members_of(error: RegistryError) -> dict[str, object]:
    """The members of the answer's body."""
    status = status_of(error)
    members: dict[str, object] = {
        "type": f"urn:rollbook:error:{error.code}",
        "title": (type(error).__doc__ or "").partition("\n")[0],
        "status": status,
        "detail": error.message,
        "code": error.code,
        "error": error.message,
    }
    if error.mongo_code is not None:
        members |= {"mongoCode": error.mongo_code, "mongoCodeName": mongo_code_name(error.mongo_code)}
    if error.problems:
        members["errors"] = [{"at": problem.at, "problem": problem.problem} for problem in error.problems]
    elif error.at:
        members["errors"] = [{"at": error.at, "problem": error.message}]
    return members


def problem(error: RegistryError, *, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    """The answer to a refused request; ``more`` are members beside the standard ones."""
    body, status = orjson.dumps({**more, **members_of(error)}), status_of(error)
    return Response(body, status, {**HEADERS.get(status, {}), **(headers or {})}, MEDIA_TYPE)


def mistake() -> Response:
    """The answer to a fault of ours. What it was is in the log."""
    return problem(RegistryError(MISTAKE))


HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"www-authenticate": 'Bearer realm="rollbook", Basic realm="rollbook"'},
    408: {"connection": "close"},
    413: {"connection": "close"},
    429: {"retry-after": "3"},
    503: {"retry-after": "1"},
}
"""What goes with a status: after a body that was not read to its end, nothing else can be read."""
