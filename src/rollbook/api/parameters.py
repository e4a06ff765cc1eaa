"""The parameters of the query string: one row and one parser each, and the gate that reads them.

One rule: what a request says in its address is understood or refused (400), never passed over: not a misspelt name, not
a second value, not an empty one.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl

from starlette.requests import Request

from rollbook.api.declarations import Operation, Parameter, Schema
from rollbook.clusters.acceptance import UnknownFields
from rollbook.documents.codec import decode_json
from rollbook.errors import RequestRefused
from rollbook.language.filters.nodes import EVERYTHING, Filter
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.registry.feed.change_events import Detail
from rollbook.registry.history.moments import (
    REVISION_MAX,
    AtRevision,
    AtTime,
    Moment,
    parse_number,
    parse_revision,
    parse_time,
)
from rollbook.registry.reading.filters_in_words import filter_in_words
from rollbook.registry.reading.requests import parse_watch_filter

LIMIT_DEFAULT, LIMIT_MAX = 100, 1000
SHOWN_LENGTH_MAX = 50
WAIT_SECONDS_MAX = 300.0
WAIT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?", re.ASCII)
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


def parameters_of(operation: Operation, query_string: bytes, limits: Limits) -> Mapping[str, Any]:
    """The value of each parameter that an operation declares. Refuses (RequestRefused) what it does not understand."""
    if not query_string:
        return operation.defaults
    given: dict[str, list[str]] = {}
    for name, text in _pairs_in(query_string):
        given.setdefault(name, []).append(text)
    declared = {each.name: each for each in taken_by(operation)}
    values = dict(operation.defaults)
    for name, texts in given.items():
        parameter = declared.get(name)
        if parameter is not None:
            values[name] = _value(parameter, texts, limits)
        elif not operation.ignores_parameters:
            raise RequestRefused(_problem_with_name(name, operation))
    return values


def taken_by(operation: Operation) -> tuple[Parameter[Any], ...]:
    """The parameters that an operation takes: its own, and where it reads clusters, those of every such operation."""
    return (*operation.parameters, *FRESHNESS) if operation.takes_freshness else operation.parameters


def moment_of(request: Request) -> Moment | None:
    """The moment that ``revision`` or ``at`` names; None: now. Refuses (RequestRefused) both."""
    revision, at = REVISION.of(request), AT.of(request)
    if revision is not None and at is not None:
        raise RequestRefused("revision and at exclude each other: a moment is one or the other")
    return revision if at is None else at


def seconds_of(wait: str) -> float:
    """The seconds that ``30s``, ``500ms``, ``2m`` or ``30`` mean. Refuses anything else, and more than five minutes."""
    parts = WAIT.fullmatch(wait)
    seconds = float(parts[1]) * UNIT_SECONDS[parts[2]] if parts else -1
    if not 0 <= seconds <= WAIT_SECONDS_MAX:
        raise RequestRefused(f"wait={shown(wait)} is not a time such as 30s, of at most {WAIT_SECONDS_MAX:.0f}s")
    return seconds


def parse_limit(text: str) -> int:
    """An integer from 1 to LIMIT_MAX."""
    limit = parse_number(text)
    if limit is None or not 1 <= limit <= LIMIT_MAX:
        raise RequestRefused(f"limit must be an integer from 1 to {LIMIT_MAX}, not {shown(text)!r}")
    return limit


def parse_flag(name: str, text: str) -> bool:
    """``true`` or ``false``."""
    return bool(one_of_words(name, ("true", "false"))(text, DEFAULT_LIMITS) == "true")


def _pairs_in(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise RequestRefused("the query string is not UTF-8, percent-encoded") from None


def _value(parameter: Parameter[Any], texts: list[str], limits: Limits) -> Any:
    if parameter.lists:
        return tuple(parameter.parse(text, limits) for each in texts for text in each.split(","))
    if len(texts) > 1:
        raise RequestRefused(f"the parameter {parameter.name} is given {len(texts)} times; give it once")
    return parameter.parse(texts[0], limits)


def _problem_with_name(name: str, operation: Operation) -> str:
    names = [each.name for each in taken_by(operation)]
    options = operation.body.options if operation.body is not None else ()
    problem = f"there is no parameter {shown(name)!r} here"
    if name in options:
        return f"{problem}; {name!r} goes into the body"
    by_lower = {each.lower(): each for each in (*options, *names)}
    close = get_close_matches(name[:SHOWN_LENGTH_MAX].lower(), by_lower, n=1)
    if close:
        meant = by_lower[close[0]]
        return f"{problem}; did you mean {meant!r}{'' if meant in names else ', which goes into the body'}?"
    return f"{problem}, only {', '.join(names)}" if names else f"{problem}; this operation takes none"


def shown(text: str) -> str:
    """The text, cut where it is long, for a message."""
    return text if len(text) <= SHOWN_LENGTH_MAX else text[:SHOWN_LENGTH_MAX] + "..."


def one_of_words(name: str, words: tuple[str, ...]) -> Callable[[str, Limits], Any]:
    """A parser of one of some words."""

    def parse(text: str, limits: Limits) -> str:
        if text not in words:
            raise RequestRefused(f"{name}={shown(text)} is not known; it can be {' or '.join(words)}")
        return text

    return parse


def text_of(name: str) -> Callable[[str, Limits], str]:
    """A parser of a text that is not empty."""

    def parse(text: str, limits: Limits) -> str:
        if not text.strip():
            raise RequestRefused(f"the parameter {name} is empty; leave it out")
        return text

    return parse


def _words(*words: str, default: str | None = None) -> Schema:
    return {"type": "string", "enum": [*words], **({} if default is None else {"default": default})}


def _revision(name: str) -> Callable[[str, Limits], int]:
    return lambda text, limits: parse_revision(text, name=name)


REVISION_SCHEMA: Schema = {"type": "integer", "minimum": 0, "maximum": REVISION_MAX}

REVISION: Parameter[AtRevision | None] = Parameter(
    "revision",
    lambda text, limits: AtRevision(parse_revision(text, name="revision")),
    "as of this revision: the newest version that is not newer",
    REVISION_SCHEMA,
    None,
)
AT: Parameter[AtTime | None] = Parameter(
    "at",
    lambda text, limits: AtTime(parse_time(text)),
    "as of this time: ISO 8601 (UTC where it names no zone), or Unix seconds or milliseconds",
    {"type": "string", "examples": ["2026-01-31T12:00:00Z"]},
    None,
)
INCLUDE: Parameter[tuple[str, ...]] = Parameter(
    "include",
    one_of_words("include", ("registry", "access")),
    "`registry`: adds `_registry`, what the registry knows of the document beside what is stored: its revision, its "
    "times, whether it is protected; `access`: adds `_registry.access`, what you may with the cluster now; "
    "of queries only page by page",
    {"type": "array", "items": _words("registry", "access")},
    (),
    lists=True,
)
FIELD_VALIDATION: Parameter[UnknownFields | None] = Parameter(
    "fieldValidation",
    one_of_words("fieldValidation", get_args(UnknownFields)),
    "`strict`, `warn` (the default) or `ignore`: what happens to fields that are not documented",
    _words(*get_args(UnknownFields), default="warn"),
    None,
)
DRY_RUN: Parameter[bool] = Parameter(
    "dryRun",
    lambda text, limits: parse_flag("dryRun", text),
    "`true`: nothing is written; the answer says what would be stored, how it differs, and its warnings",
    _words("true", "false", default="false"),
    False,
)
ATOMIC: Parameter[bool] = Parameter(
    "atomic",
    lambda text, limits: parse_flag("atomic", text),
    "`true`: all lines are done or none, in one step; nothing is done before the last of them is there",
    _words("true", "false", default="false"),
    False,
)
UPSERT: Parameter[bool] = Parameter(
    "upsert",
    lambda text, limits: parse_flag("upsert", text),
    '`true`: a cluster that is not there is created, as the update makes it of `{"id": id}`',
    _words("true", "false", default="false"),
    False,
)
ON_CONFLICT: Parameter[Literal["replace", "refuse"]] = Parameter(
    "onConflict",
    one_of_words("onConflict", ("replace", "refuse")),
    "`replace` (the default) or `refuse`: what happens to a node that has the id already",
    _words("replace", "refuse", default="replace"),
    "replace",
)
BEFORE: Parameter[int | None] = Parameter(
    "before", _revision("before"), "changes older than this revision", REVISION_SCHEMA, None
)
LIMIT: Parameter[int] = Parameter(
    "limit",
    lambda text, limits: parse_limit(text),
    f"at most this number of changes, 1 to {LIMIT_MAX}; the default is {LIMIT_DEFAULT}",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    LIMIT_DEFAULT,
)
SINCE: Parameter[int | None] = Parameter(
    "since",
    _revision("since"),
    "begin after this revision; without it, from now on, or for `/changes` from the oldest that is kept",
    REVISION_SCHEMA,
    None,
)
FILTER: Parameter[Filter] = Parameter(
    "filter",
    lambda text, limits: parse_watch_filter(
        decode_json(text.encode(), limits=limits, name="the parameter filter"), at="", limits=limits
    ),
    "the filter, as JSON",
    {"type": "string", "contentMediaType": "application/json", "examples": ['{"regionId":"us-west-2"}']},
    EVERYTHING,
)
WATCH_WHERE: Parameter[Filter | None] = Parameter(
    "where",
    lambda text, limits: parse_watch_filter(
        filter_in_words(text_of("where")(text, limits), at="", limits=limits), at="", limits=limits
    ),
    "the filter, [in words](words.md), instead of `filter`",
    {"type": "string", "examples": ["gpus >= 2 and status = live"]},
    None,
)
AS: Parameter[Detail] = Parameter(
    "as",
    one_of_words("as", get_args(Detail)),
    "`document` (the default of watching), `patch` (the default of history) or `both`: how a change is described",
    _words(*get_args(Detail)),
    "document",
)
AS_PATCH = AS.with_default("patch")
WAIT_FOR: Parameter[float | None] = Parameter(
    "wait",
    lambda text, limits: seconds_of(text),
    "answer once, with the events that are there or come within a time such as `30s`, and where to resume",
    {"type": "string", "pattern": r"^\d{1,6}(\.\d{1,3})?(ms|s|m)?$", "examples": ["30s"]},
    None,
)
FOLLOW: Parameter[bool] = Parameter(
    "follow",
    lambda text, limits: one_of_words("follow", ("false", "true"))(text, limits) == "true",
    "`true`: go on with what is logged later, a line for each",
    _words("false", "true", default="false"),
    False,
)
MIN_REVISION: Parameter[int | None] = Parameter(
    "minRevision",
    _revision("minRevision"),
    "answer from this revision or a later one, such as that of the caller's last write; waited for up to 2 s, then 412",
    REVISION_SCHEMA,
    None,
)
CONSISTENCY: Parameter[str] = Parameter(
    "consistency",
    one_of_words("consistency", ("local", "strong")),
    "`strong`: the answer has seen every write that was acknowledged before it was asked, by whichever process; "
    "`local` (the default): what the process that is asked has heard of",
    _words("local", "strong", default="local"),
    "local",
)
FRESHNESS = (MIN_REVISION, CONSISTENCY)
"""The parameters of every operation that reads clusters."""
