"""The stage ``$unwind``: a document for each element of an array.

One rule: the path goes through objects only. An array before its end counts as if there were nothing at the end.
"""

from collections.abc import Iterator

from msgspec import Struct

from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import MISSING, Document, Int64, Maybe, Value, type_name
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator
from rollbook.language.projections.field_paths import problem_with_path

OPTIONS = ("path", "includeArrayIndex", "preserveNullAndEmptyArrays")


class Unwinding(Struct, frozen=True):
    """The path to the array; the path that gets the element's index; whether documents without elements pass."""

    path: Path
    index_path: Path | None = None
    keeps_empty: bool = False


def parse_unwind(json: Value, parsing: Parsing) -> Unwinding:
    """The path of ``$unwind``, or an object of the path and options."""
    if isinstance(json, str):
        return Unwinding(_array_path(json, parsing))
    if not isinstance(json, dict):
        raise parsing.refused(15981, f"$unwind takes a path or an object of options, not {type_name(json)}")
    index_path, keeps_empty = json.get("includeArrayIndex", MISSING), json.get("preserveNullAndEmptyArrays", False)
    if "path" in json and not isinstance(json["path"], str):
        raise parsing.refused(28808, "the path is a string that begins with '$'", "path")
    if not isinstance(keeps_empty, bool):
        raise parsing.refused(28809, "preserveNullAndEmptyArrays is true or false", "preserveNullAndEmptyArrays")
    if index_path is not MISSING and not (isinstance(index_path, str) and index_path):
        raise parsing.refused(28810, "includeArrayIndex is the path of a field", "includeArrayIndex")
    if isinstance(index_path, str) and index_path[0] == "$":
        raise parsing.refused(28822, "includeArrayIndex names a field, without '$'", "includeArrayIndex")
    options = parsing.options(json, OPTIONS, no_object=15981, unknown=28811)
    path = _array_path(options.get("path", ""), parsing.below("path") if "path" in options else parsing)
    return Unwinding(path, _index_path(index_path, parsing.below("includeArrayIndex")), keeps_empty)


def _array_path(written: Value, parsing: Parsing) -> Path:
    if not isinstance(written, str) or not written:
        raise parsing.refused(28812, "$unwind needs the path of an array")
    if written[0] != "$":
        raise parsing.refused(28818, f"the path begins with '$': '${written}'")
    return _sound_path(written[1:], parsing)


def _index_path(written: Maybe, parsing: Parsing) -> Path | None:
    return _sound_path(written, parsing) if isinstance(written, str) else None


def _sound_path(dotted: str, parsing: Parsing) -> Path:
    if problem := problem_with_path(dotted):
        raise parsing.refused(*problem)
    return parse_path(dotted)


def unwinding(parts: Unwinding, running: Running) -> Run:
    """Gives a document for each element of an array, the element in the array's place."""
    spend = running.work.spend

    def run(documents: Documents) -> Iterator[Document]:
        for document in documents:
            value = _value_at(document, parts.path)
            if isinstance(value, list) and value:
                for index, element in enumerate(value):
                    spend()
                    yield _indexed(_with(document, parts.path, element), parts, Int64(index))
            elif value is None or value is MISSING or value == []:
                if parts.keeps_empty:
                    yield _indexed(_without(document, parts.path) if value == [] else document, parts, None)
            else:
                yield _indexed(document, parts, None)

    return run


def _indexed(document: Document, parts: Unwinding, index: int | None) -> Document:
    return document if parts.index_path is None else _with(document, parts.index_path, index)


def _value_at(document: Document, path: Path) -> Maybe:
    value: Maybe = document
    for name in path:
        if not isinstance(value, dict):
            return MISSING
        value = value.get(name, MISSING)
    return value


def _with(document: Document, path: Path, value: Value) -> Document:
    result = parent = dict(document)
    for name in path[:-1]:
        inner = parent.get(name)
        child: Document = dict(inner) if isinstance(inner, dict) else {}
        parent[name] = child
        parent = child
    parent[path[-1]] = value
    return result


def _without(document: Document, path: Path) -> Document:
    result = _with(document, path, None)
    parent = result
    for name in path[:-1]:
        parent = parent[name]  # type: ignore[assignment]
    del parent[path[-1]]
    return result


STAGES = (StageOperator("$unwind", parse_unwind, unwinding),)
