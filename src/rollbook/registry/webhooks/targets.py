"""What somebody asks of a webhook, parsed once: where to, of what, how, and how patiently.

One rule: what is not understood is refused with its place; what is left out has a default, so a target is always whole.
"""

import asyncio
import re
import secrets
import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from ipaddress import ip_address
from typing import Any, cast, get_args

from msgspec import Struct, field

from rollbook.documents.values import Document, Value, is_number
from rollbook.errors import LanguageRefused, WebhookRefused, below
from rollbook.language.filters import Filter, compile_filter
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.feed.change_events import Detail
from rollbook.registry.reading.filters_in_words import with_filter_in_json
from rollbook.registry.reading.requests import parse_since, parse_watch_filter
from rollbook.registry.webhooks.addresses import problem_with
from rollbook.registry.webhooks.signing import key_in, new_secret
from rollbook.setting_values import AllowedNetworks

URL_LENGTH_MAX = 2048
DESCRIPTION_LENGTH_MAX = 500
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
NAME = re.compile(rb"[A-Za-z0-9._-]+")
PORT_MAX = 65_535
READ_ONLY = ("id", "createdAt", "updatedAt", "status")
KEEP_FORMER = "keepFormerSecrets"


class Retry(Struct, frozen=True):
    """How often a message is tried, and how long the pauses are: each twice the one before, up to the longest."""

    attempts: int = 12
    first_seconds: float = 1.0
    longest_seconds: float = 900.0

    def as_json(self) -> Document:
        """As a caller sees it."""
        return {
            "attempts": self.attempts,
            "firstSeconds": self.first_seconds,
            "longestSeconds": self.longest_seconds,
        }


class Target(Struct, frozen=True):
    """What a caller sets. ``filter`` is JSON that has been parsed once."""

    url: str
    filter: Value = field(default_factory=dict)
    form: Detail = "document"
    enabled: bool = True
    description: str = ""
    timeout_seconds: float = 10.0
    retry: Retry = Retry()

    def as_json(self) -> Document:
        """As a caller sees it, and as it is kept."""
        return {
            "url": self.url,
            "filter": self.filter,
            "as": self.form,
            "enabled": self.enabled,
            "description": self.description,
            "timeoutSeconds": self.timeout_seconds,
            "retry": self.retry.as_json(),
        }


class Registration(Struct, frozen=True):
    """A webhook that shall be. ``since``: from after which revision; None: from now."""

    id: str
    target: Target
    secret: str
    since: int | None


class TargetChange(Struct, frozen=True):
    """What a webhook shall be: its target, its new secret if there is one, and whether former ones still sign."""

    target: Target
    secret: str | None = None
    keeps_former: bool = True


class TargetParser(Struct, frozen=True):
    """Reads targets, within the limits of one registry."""

    limits: Limits
    allowed: AllowedNetworks

    def registration(self, body: Value) -> Registration:
        """The webhook that the body of a POST asks for; an id and a secret are made up where they are not given."""
        body = with_filter_in_json(_object(body, at=""), limits=self.limits, name="filter")
        given = body.get("id")
        id = "wh_" + secrets.token_hex(8) if given is None else given
        if not isinstance(id, str) or not ID.fullmatch(id):
            raise WebhookRefused("an id has 1 to 64 letters, digits, '_' and '-', a letter or digit first", at="/id")
        target = self.target(body, beside=("id", "secret", "since"))
        return Registration(id, target, parse_secret(body) or new_secret(), parse_since(body))

    def replacement(self, body: Value, *, id: str) -> TargetChange:
        """What the body of a PUT of the webhook ``id`` asks for."""
        body = with_filter_in_json(_changing(body, id=id), limits=self.limits, name="filter")
        return self._change(body, body)

    def patched(self, target: Target, body: Value, *, id: str) -> TargetChange:
        """What a PATCH of the webhook ``id`` asks for. A member that is null takes its default."""
        body = with_filter_in_json(_changing(body, id=id), limits=self.limits, name="filter")
        now = target.as_json()
        members = {**now, **body}
        if isinstance(body.get("retry"), dict):
            members["retry"] = {**cast(Document, now["retry"]), **cast(Document, body["retry"])}
        return self._change(members, body)

    def _change(self, members: Document, body: Document) -> TargetChange:
        target = self.target(members, beside=("secret", KEEP_FORMER, *READ_ONLY))
        keeps_former = body.get(KEEP_FORMER)
        if keeps_former not in (None, True, False):
            raise WebhookRefused(f"{KEEP_FORMER!r} must be true or false", at=below("", KEEP_FORMER))
        return TargetChange(target, parse_secret(body), keeps_former is not False)

    def target(self, body: Document, *, beside: Collection[str] = ()) -> Target:
        """The target that ``body`` describes; it may hold the members ``beside`` too."""
        _refuse_unknown(body, (*MEMBERS, *beside), at="")
        retry = _object(body.get("retry") or {}, at="/retry")
        _refuse_unknown(retry, RETRY_MEMBERS, at="/retry")
        if body.get("url") is None:
            raise WebhookRefused("a webhook needs a 'url'", at="/url")
        if body.get("filter") is not None:
            parse_delivery_filter(body["filter"], limits=self.limits)
        target = Target(**_read(body, MEMBERS, at=""), retry=Retry(**_read(retry, RETRY_MEMBERS, at="/retry")))
        problem = problem_with_url(target.url, self.allowed)
        if problem is not None:
            raise WebhookRefused(problem, at="/url")
        return target


def parse_delivery_filter(json: Value, *, limits: Limits) -> Filter:
    """The filter of a webhook. Refuses (LanguageRefused), as a watch does, constant parts that can't be evaluated."""
    filter = parse_watch_filter(json, at="/filter", limits=limits)
    try:
        compile_filter(filter, work=RequestBudget())
    except LanguageRefused as refusal:
        place = refusal.at if refusal.at.startswith("/filter") else "/filter" + refusal.at
        raise type(refusal)(refusal.message, at=place, mongo_code=refusal.mongo_code) from None
    return filter


def target_of(kept: Document) -> Target:
    """The target that ``Target.as_json`` made: trusted, not checked again."""
    retry = cast(Document, kept["retry"])
    return Target(**_read(kept, MEMBERS, at=""), retry=Retry(**_read(retry, RETRY_MEMBERS, at="")))


def parse_secret(body: Document) -> str | None:
    """The secret that a caller gives, where one is given."""
    given = body.get("secret")
    if given is None:
        return None
    try:
        key_in(given if isinstance(given, str) else "")
    except ValueError as error:
        raise WebhookRefused(f"a secret is {error}", at="/secret") from None
    return cast(str, given)


async def prepare_targets() -> None:
    """Import what takes URLs apart, on a thread: it takes long, and many registries have no webhooks."""
    if "httpx" not in sys.modules:
        await asyncio.to_thread(import_module, "httpx")


def problem_with_url(url: str, allowed: AllowedNetworks) -> str | None:
    """Why nothing can be sent to a URL, as far as it can be known before its name is resolved."""
    import httpx  # see prepare_targets

    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        return f"{url!r} is no URL: {error}"
    if parts.scheme not in ("http", "https") or not parts.host:
        return "a target is an http or https URL with a host, such as https://example.net/hooks"
    if parts.userinfo or parts.fragment:
        return "a target has no user, password or fragment in its URL"
    if parts.port is not None and not 1 <= parts.port <= PORT_MAX:
        return f"{parts.port} is no port: a port is a number from 1 to {PORT_MAX}"
    try:
        return problem_with(ip_address(parts.host), allowed)
    except ValueError:  # a name: judged whenever it is resolved
        return None if NAME.fullmatch(parts.raw_host) else f"{parts.host!r} is no name of a host"


def _read(body: Document, members: "Mapping[str, Member]", *, at: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, member in members.items():
        value = body.get(name)
        if value is not None and member.field:
            if not member.accepts(value):
                raise WebhookRefused(f"{name!r} must be {member.kind}", at=below(at, name))
            fields[member.field] = value
    return fields


def _object(value: Value, *, at: str) -> Document:
    if not isinstance(value, dict):
        raise WebhookRefused(f"{at.removeprefix('/') or 'a webhook'} must be an object", at=at)
    return value


def _changing(value: Value, *, id: str) -> Document:
    body = _object(value, at="")
    if body.get("id", id) != id:
        raise WebhookRefused(f"the id of a webhook stays: this one is {id!r}", at="/id")
    return body


def _refuse_unknown(body: Document, known: Collection[str], *, at: str) -> None:
    for name in body:
        if name not in known:
            raise WebhookRefused(f"{name!r} is no member; these are: {', '.join(known)}", at=below(at, name))


class Member(Struct, frozen=True):
    """A member of a target in JSON: the field that it fills, what it must be, and whether a value is that."""

    field: str
    kind: str
    accepts: Callable[[Value], bool]


def text(length_max: int) -> Callable[[Value], bool]:
    """Whether a value is a text that is not too long."""
    return lambda value: isinstance(value, str) and len(value) <= length_max


def number(least: float, most: float) -> Callable[[Value], bool]:
    """Whether a value is a number within bounds."""
    return lambda value: is_number(value) and least <= cast(float, value) <= most


MEMBERS: Mapping[str, Member] = {
    "url": Member("url", f"a text of at most {URL_LENGTH_MAX} characters", text(URL_LENGTH_MAX)),
    "filter": Member("filter", "a filter", lambda value: isinstance(value, dict)),
    "as": Member("form", f"one of {', '.join(get_args(Detail))}", lambda value: value in get_args(Detail)),
    "enabled": Member("enabled", "true or false", lambda value: isinstance(value, bool)),
    "description": Member(
        "description", f"a text of at most {DESCRIPTION_LENGTH_MAX} characters", text(DESCRIPTION_LENGTH_MAX)
    ),
    "timeoutSeconds": Member("timeout_seconds", "a number from 0.1 to 60", number(0.1, 60)),
    "retry": Member("", "an object", lambda value: isinstance(value, dict)),
}

RETRY_MEMBERS: Mapping[str, Member] = {
    "attempts": Member(
        "attempts", "an integer from 1 to 100", lambda value: isinstance(value, int) and number(1, 100)(value)
    ),
    "firstSeconds": Member("first_seconds", "a number from 0.1 to 3600", number(0.1, 3600)),
    "longestSeconds": Member("longest_seconds", "a number from 0.1 to 86400", number(0.1, 86_400)),
}
