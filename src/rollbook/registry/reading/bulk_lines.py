"""The lines of a bulk request: each asks one write of one cluster, and is parsed to a command by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.values import Document, Value, is_integer
from rollbook.errors import Problem, RegistryError, RequestRefused, below
from rollbook.limits import Limits
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.writing.commands import Command, Delete
from rollbook.registry.writing.document_commands import Rewrite, json_patching, merging
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import joining, leaving
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition
from rollbook.security.access import Access

LineVerb: TypeAlias = Literal["create", "update", "delete", "nodes"]


class LineRules(Struct, frozen=True):
    """What the lines of one request are parsed by."""

    rules: SchemaRules
    limits: Limits
    facts: Facts
    access: Access


class BulkLine(Struct, frozen=True):
    """One line: the command that it asks, the verb that it takes, and whether others on the cluster wait for it.

    (A decision that takes long is made beside the queue, where those that come later would overtake it.)
    """

    command: Command
    verb: LineVerb
    may_take_long: bool = False


def parse_bulk_line(line: Value, asked: LineRules) -> BulkLine:
    """The write that a line asks for. Refuses (RequestRefused and others) what it can't ask, with its place."""
    if not isinstance(line, dict):
        raise RequestRefused('a line is an object: {"op": "create", "document": ...}')
    op = line.get("op")
    if not isinstance(op, str) or op not in OPS:
        close = get_close_matches(str(op), OPS, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise RequestRefused(f"the op of a line is one of {', '.join(OPS)}, not {op!r:.50}{meant}", at="/op")
    row = OPS[op]
    known = ("op", *row.required, *row.optional)
    for name in line:
        if name not in known:
            raise RequestRefused(f"{name!r:.50} means nothing to {op}; it takes {', '.join(known)}", at=below("", name))
    for name in row.required:
        if name not in line:
            raise RequestRefused(f"{op} needs {name!r}", at="")
        if name in TEXTS and not isinstance(line[name], str):
            raise RequestRefused(f"{name!r} must be a string", at=below("", name))
    return BulkLine(row.parse(line, asked), row.verb, row.may_take_long)


def precondition_in(line: Document) -> Precondition:
    """What ``ifRevision`` asks for."""
    if "ifRevision" not in line:
        return ANY_REVISION
    revision = line["ifRevision"]
    if not is_integer(revision) or revision < 0:
        raise RequestRefused("'ifRevision' must be the revision of a cluster, an integer", at="/ifRevision")
    return Precondition(matches=frozenset({str(revision)}))


def _flag(line: Document, name: str) -> bool:
    flag = line.get(name, False)
    if not isinstance(flag, bool):
        raise RequestRefused(f"{name!r} must be true or false", at=below("", name))
    return flag


@contextmanager
def _inside(at: str) -> Iterator[None]:
    """Give a refusal the place in the line of what it was found in."""
    try:
        yield
    except RegistryError as refusal:
        refusal.at = at + refusal.at
        refusal.problems = tuple(Problem(at + each.at, each.problem) for each in refusal.problems)
        raise


def _create(line: Document, asked: LineRules) -> Command:
    replace = _flag(line, "replace")
    with _inside("/document"):
        return parse_creation(
            line["document"], rules=asked.rules, limits=asked.limits, replace=replace, access=asked.access
        )


def _update(line: Document, asked: LineRules) -> Command:
    body: Document = {name: line[name] for name in ("update", "arrayFilters", "filter", "where") if name in line}
    return parse_update_request(
        str(line["id"]),
        body,
        rules=asked.rules,
        limits=asked.limits,
        precondition=precondition_in(line),
        facts=asked.facts,
        upsert=_flag(line, "upsert"),
    )


def _patch(line: Document, asked: LineRules) -> Command:
    patch, precondition = line["patch"], precondition_in(line)
    with _inside("/patch"):
        change, touched = json_patching(patch, limits=asked.limits) if isinstance(patch, list) else merging(patch)
    return Rewrite(str(line["id"]), change, touched, asked.rules, precondition, asked.limits)


def _delete(line: Document, asked: LineRules) -> Command:
    return Delete(str(line["id"]), precondition_in(line))


def _join(line: Document, asked: LineRules) -> Command:
    edit = joining([line["node"]], at=lambda _: "/node")
    return EditNodes(str(line["id"]), edit, asked.rules, None, precondition_in(line), asked.limits)


def _leave(line: Document, asked: LineRules) -> Command:
    node = str(line["nodeId"])
    return EditNodes(str(line["id"]), leaving(node), asked.rules, node, precondition_in(line), asked.limits)


class _Op(Struct, frozen=True):
    verb: LineVerb
    parse: Callable[[Document, LineRules], Command]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ("ifRevision",)
    may_take_long: bool = False


UPDATE_OPTIONS = ("arrayFilters", "filter", "where", "upsert", "ifRevision")
TEXTS = frozenset({"id", "nodeId"})
OPS = {
    "create": _Op("create", _create, ("document",), ("replace",)),
    "update": _Op(
        "update", _update, ("id", "update"), ("arrayFilters", "filter", "where", "upsert", "ifRevision"), True
    ),
    "patch": _Op("update", _patch, ("id", "patch"), may_take_long=True),
    "delete": _Op("delete", _delete, ("id",)),
    "join": _Op("nodes", _join, ("id", "node")),
    "leave": _Op("nodes", _leave, ("id", "nodeId")),
}
