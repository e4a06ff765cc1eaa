"""One table from error classes to exit codes, so that scripts can distinguish refusals."""

from collections.abc import Mapping

from rollbook import errors
from rollbook.errors import RegistryError

DONE, FAILED, MISUSED, REFUSED, CLASHED, UNAVAILABLE, DIFFERS = range(7)

MEANINGS = {
    DONE: "Done.",
    FAILED: "Failed: some documents were refused, a target did not accept the test of its webhook, or the data "
    "directory is damaged or may not be used.",
    MISUSED: "The command line or a setting is wrong; nothing was tried.",
    REFUSED: "The request or the document was refused.",
    CLASHED: "What is there does not allow it: no such cluster, the id is taken, a precondition failed.",
    UNAVAILABLE: "Not now: the server is away, the data directory is in use, or its disk is full; try again later.",
    DIFFERS: "What was compared differs (`cluster diff`, `cluster apply --diff`).",
}

EXIT_CODES: Mapping[type[RegistryError], int] = {
    errors.RegistryError: FAILED,
    errors.DataDirectoryUnsound: FAILED,
    errors.SettingRefused: MISUSED,
    errors.RequestRefused: REFUSED,
    errors.LanguageRefused: REFUSED,
    errors.DocumentInvalid: REFUSED,
    errors.PermissionDenied: REFUSED,
    errors.Unauthenticated: REFUSED,
    errors.CrossOriginRefused: REFUSED,
    errors.TooManyWrongTokens: REFUSED,
    errors.TokenNotFound: CLASHED,
    errors.TokenExists: CLASHED,
    errors.RoleNotFound: CLASHED,
    errors.RoleInUse: CLASHED,
    errors.ClusterNotFound: CLASHED,
    errors.ClusterDeleted: CLASHED,
    errors.ClusterExists: CLASHED,
    errors.ClusterProtected: CLASHED,
    errors.NodeNotFound: CLASHED,
    errors.NodeExists: CLASHED,
    errors.IdempotencyKeyReused: REFUSED,
    errors.BatchRefused: REFUSED,
    errors.BackupRefused: FAILED,
    errors.WebhookNotFound: CLASHED,
    errors.WebhookExists: CLASHED,
    errors.DeadLetterNotFound: CLASHED,
    errors.TooManyWebhooks: CLASHED,
    errors.PreconditionFailed: CLASHED,
    errors.RevisionNotReached: UNAVAILABLE,
    errors.Compacted: CLASHED,
    errors.JournalUnavailable: UNAVAILABLE,
    errors.AppendUndecided: UNAVAILABLE,
    errors.JournalForbidden: FAILED,
    errors.JournalDamaged: FAILED,
    errors.JournalConflict: UNAVAILABLE,
    errors.TooManyWatchers: UNAVAILABLE,
    errors.TooManyWatches: UNAVAILABLE,
    errors.RateExceeded: UNAVAILABLE,
    errors.DataDirectoryLocked: UNAVAILABLE,
    errors.RegistryUnreachable: UNAVAILABLE,
}


def exit_code_of(error: RegistryError) -> int:
    """The exit code of an error: its class's own, or that of the nearest ancestor in the table."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
