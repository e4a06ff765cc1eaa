"""A webhook as the registry holds it, as the store keeps it, and as a caller sees it.

One rule: a secret is shown when it is made, and never again.
"""

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.values import Document, Value
from rollbook.errors import WebhookRefused
from rollbook.journal.webhook_store import Letter, Progress, WebhookRow
from rollbook.registry.feed.times import iso_time
from rollbook.registry.webhooks.signing import key_in
from rollbook.registry.webhooks.targets import Registration, Target, TargetChange, target_of

STATES = ("current", "delivering", "retrying", "stopped", "disabled")
"""How deliveries can stand (see ``state_of``)."""

FORMER_SECRET_MS = 24 * 60 * 60 * 1000
FORMER_SECRETS_MAX = 5

OWNER = "owner"
"""Where the owner is kept, beside the members of the target."""


class FormerSecret(Struct, frozen=True, array_like=True):
    """A secret that was replaced, and until when (Unix ms) messages are signed with it as well."""

    secret: str
    until_ms: int


class Webhook(Struct, frozen=True):
    """A registered target. For a day after a change of secret, messages are signed with the former one as well.

    ``owner`` is the key of the caller who registered it, with whose roles it sees; empty: it sees everything.
    """

    id: str
    created_at_ms: int
    updated_at_ms: int
    target: Target
    secret: str
    former: tuple[FormerSecret, ...] = ()
    owner: str = ""

    def former_at(self, at_ms: int) -> tuple[FormerSecret, ...]:
        """The former secrets that sign at a time, newest first."""
        return tuple(former for former in self.former if at_ms < former.until_ms)

    def keys(self, at_ms: int) -> list[bytes]:
        """What messages are signed with at a time."""
        return [key_in(secret) for secret in (self.secret, *(former.secret for former in self.former_at(at_ms)))]

    def changed(self, change: TargetChange, *, at_ms: int) -> "Webhook":
        """The webhook after a change. Refuses (WebhookRefused) one former secret too many."""
        former = self.former_at(at_ms) if change.keeps_former else ()
        secret = change.secret or self.secret
        if secret != self.secret:
            former = tuple(each for each in former if each.secret != secret)
            if change.keeps_former:
                former = (FormerSecret(self.secret, at_ms + FORMER_SECRET_MS), *former)
        if len(former) > FORMER_SECRETS_MAX:
            raise WebhookRefused(
                f"{FORMER_SECRETS_MAX} former secrets still sign, which is the most: "
                'end them with {"keepFormerSecrets": false}, or wait until the oldest is a day old',
                at="/secret",
            )
        return replace(self, target=change.target, secret=secret, former=former, updated_at_ms=at_ms)


def webhook_from(registration: Registration, *, at_ms: int, owner: str = "") -> Webhook:
    """A new webhook."""
    return Webhook(registration.id, at_ms, at_ms, registration.target, registration.secret, owner=owner)


def row_of(webhook: Webhook) -> WebhookRow:
    """The webhook as it is kept."""
    return WebhookRow(
        webhook.id,
        webhook.created_at_ms,
        webhook.updated_at_ms,
        orjson.dumps({**webhook.target.as_json(), **({OWNER: webhook.owner} if webhook.owner else {})}).decode(),
        webhook.secret,
        msgspec.json.encode(webhook.former).decode(),
    )


def webhook_of(row: WebhookRow) -> Webhook:
    """The webhook that was kept."""
    former, kept = msgspec.json.decode(row.former, type=tuple[FormerSecret, ...]), orjson.loads(row.target)
    times = row.created_at_ms, row.updated_at_ms
    return Webhook(row.id, *times, target_of(kept), row.secret, former, kept.get(OWNER, ""))


def described(
    webhook: Webhook, progress: Progress, *, newest: int, letters: int, dropped: int, is_stopped: bool, now_ms: int
) -> Document:
    """The webhook and how its deliveries stand, for its caller. ``newest`` is the registry's newest revision."""
    return {
        "id": webhook.id,
        **webhook.target.as_json(),
        "createdAt": iso_time(webhook.created_at_ms),
        "updatedAt": iso_time(webhook.updated_at_ms),
        "status": {
            "state": state_of(webhook.target, progress, newest=newest, is_stopped=is_stopped),
            "revision": progress.revision,
            "lag": max(0, newest - progress.revision),
            "attempts": progress.attempts,
            "nextAttemptAt": iso_time(progress.next_attempt_ms) if progress.attempts else None,
            "lastSuccess": _event(progress.success_at_ms, progress.success_revision),
            "lastError": _event(progress.error_at_ms, progress.error_revision, problem=progress.error),
            "missedUpTo": progress.missed_up_to or None,
            "deadLetters": letters,
            "deadLettersDropped": dropped,
            "formerSecretsUntil": [iso_time(former.until_ms) for former in webhook.former_at(now_ms)],
        },
    }


def state_of(target: Target, progress: Progress, *, newest: int, is_stopped: bool) -> str:
    """How deliveries stand, in a word."""
    if not target.enabled:
        return "disabled"
    if is_stopped:
        return "stopped"
    if progress.attempts:
        return "retrying"
    return "delivering" if progress.revision < newest else "current"


def letter_as_json(letter: Letter) -> Document:
    """A dead letter, for its caller; its message where it was asked for and there is one."""
    message: Document = {} if letter.body is None else {"message": orjson.loads(letter.body)}
    return {
        "number": letter.number,
        "kind": letter.kind,
        "firstRevision": letter.first_revision,
        "revision": letter.revision,
        "at": iso_time(letter.at_ms),
        "attempts": letter.attempts,
        "problem": letter.problem,
        "retrying": letter.retry,
        **message,
    }


def _event(at_ms: int, revision: int, **more: Value) -> Value:
    return {"at": iso_time(at_ms), "revision": revision, **more} if at_ms else None
