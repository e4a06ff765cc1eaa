"""The parts of docs/reference that are read off the code, and the writing of them (``make reference``).

One rule: a part stands between ``<!-- NAME: written by make reference -->`` and ``<!-- end -->``; everything outside is
written by hand. A test fails while a page does not hold what the code says.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from click import Context
from msgspec.structs import fields
from typer.core import TyperGroup

from rollbook.api.metrics.scraping import METRICS, process_families
from rollbook.api.problems import status_of
from rollbook.cli.catalogue import COMMANDS
from rollbook.cli.commands import loaded
from rollbook.cli.exits import EXIT_CODES, MEANINGS, exit_code_of
from rollbook.clusters.registry_fields import OF_LEASES, STORED
from rollbook.clusters.schema import CLUSTER, Fields, Flag, Free, Kind, ListOf, Member, NodeId, Number, Text
from rollbook.errors import RegistryError
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.settings import SETTINGS, default_of, is_limit
from tests.docs.completions import write_completions
from tests.docs.http_reference import HTTP_PARTS
from tests.docs.language_reference import LANGUAGE_PARTS
from tests.docs.markdown import table
from tests.docs.pages import ROOT, pages

REFERENCE = ROOT / "docs" / "reference"

PART = re.compile(r"(<!-- (\w+): written by make reference -->\n).*?(<!-- end -->)", re.DOTALL)


def written(page: str) -> str:
    """The page with its generated parts as the code now says."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n\n{part[3]}", page)


def pages_with_parts() -> list[Path]:
    """The pages that have generated parts."""
    return [page for page in pages() if PART.search(page.read_text())]


def settings() -> str:
    """Every setting, its default and its meaning."""
    rows = ((f"`{each.variable}`", f"`{default_of(each)}`", each.meaning) for each in SETTINGS)
    return table(("variable", "default", "meaning"), rows)


def limits() -> str:
    """Every limit and what sets it."""
    variables = {each.name: f"`{each.variable}`" for each in SETTINGS if is_limit(each)}
    rows = (
        (f"`{each.name}`", f"{getattr(DEFAULT_LIMITS, each.name):,}", variables.get(each.name, "fixed"))
        for each in fields(Limits)
    )
    return table(("limit", "value", "set by"), rows)


def exits() -> str:
    """Every exit code and the errors that end in it."""
    kinds = {code: [f"`{kind.code}`" for kind, own in EXIT_CODES.items() if own == code] for code in MEANINGS}
    return table(
        ("code", "meaning", "errors"), ((str(code), MEANINGS[code], " ".join(kinds[code])) for code in MEANINGS)
    )


def errors() -> str:
    """Every error with its status, its exit code and what it says when there is nothing more to say."""
    rows = (
        (f"`{kind.code}`", str(status_of(kind())), str(exit_code_of(kind())), kind().message)
        for kind in tree(RegistryError)
    )
    return table(("code", "HTTP status", "exit code", "meaning"), rows)


def commands() -> str:
    """What ``--help`` says of every command."""
    return "\n\n".join(part for row in COMMANDS for part in helps_of(loaded(row), f"rollbook {row.name}"))


def helps_of(command: Any, name: str) -> Iterator[str]:
    """The help of a command, or of each command of a group."""
    if isinstance(command, TyperGroup):
        for inner, each in command.commands.items():
            yield from helps_of(each, f"{name} {inner}")
        return
    with Context(command, info_name=name, terminal_width=100, max_content_width=100) as context:
        yield f"## {name}\n\n```text\n{command.get_help(context).strip()}\n```"


def documents() -> str:
    """Every documented field of a cluster."""
    return table(("field", "type", "presence", "meaning"), members_of(CLUSTER))


def registry_fields() -> str:
    """Every field of ``_registry``."""
    rows = (
        (f"`{name}`", " or ".join(each.types) or "anything", "yes" if name in STORED else "no", each.meaning)
        for name, each in {**STORED, **OF_LEASES}.items()
    )
    return table(("field", "type", "known of the past", "meaning"), rows)


def members_of(kind: Fields, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each documented field, those inside objects and arrays below their own."""
    for name, member in kind.members.items():
        path = f"{prefix}{name}"
        yield (f"`{path}`", type_of(member.kind), presence_of(member), member.meaning)
        inner = member.kind
        while isinstance(inner, ListOf):
            inner, path = inner.item, f"{path}[]"
        if isinstance(inner, Fields):
            yield from members_of(inner, f"{path}.")


def type_of(kind: Kind) -> str:
    """The type of a field, in words."""
    match kind:
        case Text():
            return "text"
        case NodeId():
            return "text, see [ids of nodes](#ids-of-nodes)"
        case Number(may_be_negative):
            return "number" if may_be_negative else "number, 0 or more"
        case Flag():
            return "true or false"
        case Free():
            return "anything"
        case ListOf(item):
            return f"array of {type_of(item)}"
        case Fields():
            return "object"


def presence_of(member: Member) -> str:
    """Who gives a field, and what it is filled with."""
    filling = f": `{json.dumps(member.default)}`" if isinstance(member.default, (str, bool)) else ""
    return member.presence.value + filling


def decisions() -> str:
    """Every decision, by its title."""
    decided = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    titles = (page.read_text().splitlines()[0].removeprefix("# ") for page in decided)
    return "\n".join(f"- [{title}]({page.name})" for title, page in zip(titles, decided, strict=True))


def metrics() -> str:
    """Every metric, its labels and its meaning."""
    rows = (
        (f"`{each.name}`", each.kind, " ".join(f"`{label}`" for label in each.labels), each.meaning) for each in METRICS
    )
    return table(("metric", "type", "labels", "meaning"), rows)


def process_metrics() -> str:
    """Every metric that prometheus-client tells of a process."""
    rows = (
        (f"`{each.name}{'_total' if each.type == 'counter' else ''}`", each.type, each.documentation)
        for each in process_families()
    )
    return table(("metric", "type", "meaning"), rows)


def tree(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    """A class of errors and everything below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


PARTS: dict[str, Callable[[], str]] = {
    **{
        part.__name__: part
        for part in (
            settings,
            limits,
            exits,
            errors,
            commands,
            documents,
            registry_fields,
            metrics,
            process_metrics,
            *LANGUAGE_PARTS,
            decisions,
        )
    },
    **HTTP_PARTS,
}


if __name__ == "__main__":
    for each in pages_with_parts():
        each.write_text(written(each.read_text()))
    write_completions()
