"""How a verb becomes a command: its function is given a client and a printer, made from options that all verbs have.

One rule: what a verb takes beyond that is in its signature; ``--data``, ``--url``, ``--token-file``, ``--context`` and
``-o`` are added here, so that they mean the same everywhere.
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar, cast, get_type_hints

from rollbook.cli.nouns.declaring import Group, argument, option
from rollbook.cli.nouns.printing import Printer, parse_format
from rollbook.cli.targets import Target, target_of
from rollbook.cli.terminal import say, warn, write_errors_as_json
from rollbook.errors import ClusterNotFound, MalformedJson, RequestRefused, SettingRefused

if TYPE_CHECKING:
    from rollbook.client import Client
    from rollbook.client.calls import Warn

P = ParamSpec("P")
T = TypeVar("T")
CANDIDATES_MAX = 10
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

DataOption = Annotated[
    str | None,
    option("--data", metavar="DIR", help="The registry in this directory, whether a server uses it or not."),
]
UrlOption = Annotated[
    str | None,
    option("--url", metavar="URL", help="The server [default: $ROLLBOOK_URL, or the context's]."),
]
TokenFileOption = Annotated[
    str | None,
    option("--token-file", metavar="FILE", help="A file with the token [default: $ROLLBOOK_TOKEN]."),
]
ContextOption = Annotated[str | None, option("--context", metavar="NAME", help="The context to use.")]
VerboseOption = Annotated[
    bool, option("-v", "--verbose", help="Print each request as a curl command, without the token.")
]
OutputOption = Annotated[
    str,
    option("-o", "--output", metavar="FORMAT", help="table, wide, json, jsonl, yaml, csv, name or columns=PATH,..."),
]
Shared = {
    "data": DataOption,
    "url": UrlOption,
    "token_file": TokenFileOption,
    "context": ContextOption,
    "verbose": VerboseOption,
    "output": OutputOption,
}
DEFAULTS = {"output": "table", "verbose": False}

ReasonOption = Annotated[str | None, option("--reason", metavar="TEXT", help="Why, for the history of each cluster.")]
FilterOption = Annotated[
    str | None, option("-f", "--filter", metavar="JSON", help="A filter in MongoDB's query language.")
]
WordsArgument = Annotated[list[str] | None, argument(metavar="[WORDS]", help="Words, such as: live gpus>=8")]
FileOption = Annotated[str, option("-f", "--file", metavar="FILE", help="JSON or YAML; - is standard input.")]
IdArgument = Annotated[str, argument(metavar="ID", help="The cluster, or a prefix that no other id has.")]
IdsArgument = Annotated[list[str], argument(metavar="ID...", help="The clusters.")]


def group(help: str, *, is_noun: bool = False) -> Group:
    """The commands of a noun."""
    return Group(help, is_noun)


def verb(
    app: Group, name: str
) -> "Callable[[Callable[Concatenate[Client, Printer, P], T]], Callable[Concatenate[Client, Printer, P], T]]":
    """Register a function as the command ``name`` of a noun."""

    def register(
        function: "Callable[Concatenate[Client, Printer, P], T]",
    ) -> "Callable[Concatenate[Client, Printer, P], T]":
        @wraps(function)
        def command(*args: Any, **given: Any) -> None:
            shared = {each: given.pop(each) for each in Shared}
            output = shared.pop("output")
            write_errors_as_json(output in ("json", "jsonl"))
            printer = parse_format(output)
            with reached(**shared) as client:
                function(client, printer, *args, **given)

        give_options(command, function, Shared)
        app.command(name)(command)
        return function

    return register


@contextmanager
def reached(
    *, data: str | None, url: str | None, token_file: str | None, context: str | None, verbose: bool
) -> "Iterator[Client]":
    """A client of the registry that the options mean. Refuses (SettingRefused) a directory beside a server."""
    if data is None:
        with opened(target_of(url, token_file, context), verbose=verbose) as client:
            yield client
        return
    if url is not None or context is not None:
        there = "--context" if url is None else "--url"
        raise SettingRefused(f"--data and {there} exclude each other: it is one registry or the other")
    from rollbook.cli.reaching import client_of_directory

    with client_of_directory(data, token_file, _hooks(verbose), warn_once()) as beside:
        yield beside


@contextmanager
def opened(target: Target, *, verbose: bool) -> "Iterator[Client]":
    """A client of a server; one that is quick to import, where that is enough."""
    from rollbook.client.plain import PlainClient, is_plain

    heed = warn_once()
    if is_plain(target.url) and not verbose:
        with PlainClient(target.url, token=target.token, warn=heed) as plain:
            yield cast("Client", plain)
        return
    from rollbook.client.blocking import Client

    with Client(target.url, token=target.token, hooks=_hooks(verbose), warn=heed) as client:
        yield client


def _hooks(verbose: bool) -> tuple[Callable[[Any], None], ...]:
    """What is called with each request: with ``-v``, printing it as a curl command."""
    if not verbose:
        return ()
    from rollbook.cli.nouns.curl import as_curl

    return (lambda request: say(as_curl(request)),)


def warn_once() -> "Warn":
    """Says what a registry warns of: the same, of a question that is asked again and again, once."""
    said: set[str] = set()

    def heed(warning: str) -> None:
        if warning not in said:
            said.add(warning)
            warn(warning)

    return heed


def give_options(command: Any, function: Callable[..., Any], shared: dict[str, Any]) -> None:
    """Give a command the parameters of its function but the first two, and the options that all verbs have."""
    own = list(inspect.signature(function).parameters.values())[2:]
    hints = get_type_hints(function, include_extras=True, localns=dict.fromkeys(("Client", "Printer", "Ask"), Any))
    added = [inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS.get(each)) for each in shared]
    command.__signature__ = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in own]
        + [each.replace(annotation=shared[each.name]) for each in added]
    )
    command.__annotations__ = {**{each.name: hints[each.name] for each in own}, **shared}


def question_of(words: list[str] | None, filter: str | None) -> dict[str, Any]:
    """The ``where`` or ``query`` of a request. Refuses (RequestRefused) both at once."""
    if words and filter is not None:
        raise RequestRefused("give words or -f FILTER, not both")
    if words:
        return {"where": " ".join(words)}
    return {"query": {} if filter is None else parsed_json(filter, "the filter")}


def seconds_of(text: str, option: str) -> float:
    """The seconds of a duration: ``10``, ``10s``, ``1.5h``, ``90d``. Refuses (SettingRefused) what is none."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in SECONDS else (text, "s")
    if number.replace(".", "", 1).isdecimal() and float(number) >= 0:
        return float(number) * SECONDS[unit]
    raise SettingRefused(f"{option} is a number with one of {', '.join(SECONDS)}, such as 10s or 90d, not {text!r}")


def filter_of(question: dict[str, Any]) -> Any:
    """The filter of a question as JSON, where words are not understood by the server."""
    if "where" not in question:
        return question["query"]
    from rollbook.clusters.fleet_words import FLEET_WORDS
    from rollbook.language.words import parse_words

    return parse_words(question["where"], FLEET_WORDS)


def parsed_json(text: str, what: str) -> Any:
    """JSON that a person typed. Refuses (MalformedJson) what is none, with its place."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise MalformedJson(f"{what} is not JSON: {error}") from None


def read_document(file: str) -> Any:
    """The JSON or YAML in a file. Refuses what can't be read (SettingRefused) or understood (MalformedJson)."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingRefused(f"{file} can't be read: {error}") from None
    try:
        return json.loads(text)
    except ValueError as malformed:
        if Path(file).suffix not in (".yaml", ".yml", ""):
            raise MalformedJson(f"{file} is not JSON: {malformed}") from None
    import yaml  # only where it is needed

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MalformedJson(f"{file} is neither JSON nor YAML: {error}") from None


def id_of(client: "Client", prefix: str) -> str:
    """The id that begins with ``prefix``; itself where it is one. Refuses (ClusterNotFound) none, or several."""
    own = {"$or": [{"id": prefix}, {"id": {"$regex": f"^{_escaped(prefix)}"}}]}
    options: dict[str, Any] = {"projection": {"id": 1}, "sort": {"id": 1}, "limit": CANDIDATES_MAX + 1}
    found = [each["id"] for each in client.clusters.query(own, **options)]
    if prefix in found or not found:
        return prefix
    if len(found) == 1:
        return str(found[0])
    more = ", ..." if len(found) > CANDIDATES_MAX else ""
    raise ClusterNotFound(f"several ids begin with {prefix!r}: {', '.join(found[:CANDIDATES_MAX])}{more}")


def _escaped(text: str) -> str:
    return "".join(each if each.isalnum() or each == "_" else f"\\{each}" for each in text)
