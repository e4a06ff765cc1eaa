"""The one printer: documents in the form that ``-o`` asks for.

One rule: text that came from a registry is made printable before it reaches a terminal. Tables are for people;
``json``, ``jsonl``, ``yaml``, ``csv`` and ``name`` are for programs, and hold values as they are, except on a terminal,
where what it might obey is escaped.
"""

import json
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from rollbook.cli.nouns.aligning import as_table, painted
from rollbook.cli.terminal import is_coloured, printable
from rollbook.errors import SettingRefused

FORMATS = ("table", "wide", "json", "jsonl", "yaml", "csv", "name")
CELL_LENGTH_MAX = 60
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AGES = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
"""From two of a unit on it is used: 90 s, but 2m."""
HEADINGS = {
    "_registry.liveness": "LIVENESS",
    "_registry.observedAt": "HEARD",
    "nodes.nodeData.gpus.modelNames": "MODELS",
}


class Columns(Struct, frozen=True):
    """The paths that a table shows of a kind of documents: always, and with ``wide``; ``name`` identifies one.

    ``cut`` says that long cells are shortened.
    """

    narrow: tuple[str, ...]
    wide: tuple[str, ...] = ()
    name: str = "id"
    cut: bool = True


class Printer(Struct, frozen=True):
    """Prints in one format. ``paths`` are those of ``-o columns=``."""

    format: str
    paths: tuple[str, ...] = ()

    @property
    def wants_documents(self) -> bool:
        """Whether whole documents are asked for, and not some of their fields."""
        return self.format in ("json", "jsonl", "yaml")

    def columns(self, known: Columns) -> tuple[str, ...]:
        """The paths to show."""
        if self.paths:
            return self.paths
        if self.format == "name":
            return (known.name,)
        return known.narrow + (known.wide if self.format in ("wide", "csv") else ())

    def many(self, documents: Iterable[Mapping[str, Any]], known: Columns) -> None:
        """Print a list."""
        match self.format:
            case "json":
                write(as_json(list(documents)))
            case "jsonl":
                for document in documents:
                    write(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
            case "yaml":
                write(as_yaml(list(documents)))
            case "name":
                for document in documents:
                    write(printable_cell(at_path(document, known.name)))
            case _:
                self._rows(documents, known)

    def another(self, document: Mapping[str, Any], known: Columns) -> None:
        """Print one more of a list that never ends: a line, without headings."""
        if self.format in ("json", "jsonl"):
            write(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        elif self.format == "yaml":
            write(f"---\n{as_yaml(document)}")
        elif self.format == "name":
            write(printable_cell(at_path(document, known.name)))
        elif self.format == "csv":
            write(as_csv([[plain(at_path(document, path)) for path in self.columns(known)]]))
        else:
            write("  ".join(shown(at_path(document, path)) or "-" for path in self.columns(known)))

    def one(self, document: Mapping[str, Any], known: Columns) -> None:
        """Print one document: as JSON, unless another format is asked for."""
        if self.format in ("table", "wide", "json") and not self.paths:
            write(as_json(document))
        elif self.format == "yaml":
            write(as_yaml(document))
        else:
            self.many([document], known)

    def _rows(self, documents: Iterable[Mapping[str, Any]], known: Columns) -> None:
        paths = self.columns(known)
        rows = [[at_path(document, path) for path in paths] for document in documents]
        if self.format == "csv":
            write(as_csv([paths, *([plain(cell) for cell in row] for row in rows)]))
        else:
            cell = shown if known.cut else printable_cell
            headings, cells = [heading(path) for path in paths], [[cell(each) for each in row] for row in rows]
            write_table(headings, cells, is_cut=known.cut)


def parse_format(text: str) -> Printer:
    """The printer of ``-o``. Refuses (SettingRefused) a format that does not exist."""
    if text.startswith("columns="):
        return Printer("table", tuple(each for each in text.removeprefix("columns=").split(",") if each))
    if text not in FORMATS:
        meant = meant_by(text, (*FORMATS, "columns="))
        raise SettingRefused(f"-o takes {', '.join(FORMATS)} or columns=PATH,..., not {text!r}{meant}")
    return Printer(text)


def as_json(value: Any) -> str:
    """JSON of several lines. The standard library indents in Python, which takes 40 ms for 100 clusters."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        return msgspec.json.format(text, indent=2)
    except ValueError:  # NaN, or half of a character, as nothing but another server answers
        return json.dumps(value, indent=2, ensure_ascii=False)


def meant_by(text: str, known: Iterable[str]) -> str:
    """``; did you mean 'jsonl'?``, or nothing when no known word is like the text."""
    from difflib import get_close_matches

    found = get_close_matches(text, list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def at_path(value: Any, path: str) -> Any:
    """The value at a path; of an array all values below its elements. A row has paths as its members."""
    if isinstance(value, Mapping) and path in value:
        return value[path]
    for step, name in enumerate(parts := path.split(".")):
        if isinstance(value, list):
            found = [at_path(each, ".".join(parts[step:])) for each in value]
            flat = [item for each in found for item in (each if isinstance(each, list) else [each])]
            return list(dict.fromkeys(item for item in flat if item is not None and not isinstance(item, dict)))
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def heading(path: str) -> str:
    """What a column is called: the last name of its path that says something."""
    names = [name for name in path.split(".") if name != "count"]
    return HEADINGS.get(path, (names or [path])[-1].upper())


def shown(value: Any) -> str:
    """A value as a cell of a table; a time as how long ago it is."""
    text = age_of(value, time.time()) or printable(plain(value))
    return text if len(text) <= CELL_LENGTH_MAX else text[: CELL_LENGTH_MAX - 1] + "…"


def age_of(value: Any, now: float) -> str | None:
    """How long before ``now`` (Unix seconds) a time of ISO 8601 is: ``5m``, or ``in 3h``; None for what is none."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return None
    try:
        seconds = now - datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    size, unit = next(((size, unit) for size, unit in AGES if abs(seconds) >= 2 * size), AGES[-1])
    amount = f"{abs(seconds) // size:.0f}{unit}"
    return amount if seconds > -1 else f"in {amount}"


def printable_cell(value: Any) -> str:
    """A value as a cell of any length."""
    return printable(plain(value))


def plain(value: Any) -> str:
    """A value as text: a string as it is, scalars of an array with commas, all else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(not isinstance(each, list | dict) for each in value):
        return ",".join(map(plain, value))
    return json.dumps(value, ensure_ascii=False)


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV, without the end of the last line."""
    import csv  # only where it is asked for
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().removesuffix("\n")


def as_yaml(value: Any) -> str:
    """A value as YAML."""
    import yaml  # only where it is asked for

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=False, width=120)
    return text.rstrip("\n")


def write(text: str) -> None:
    """Text and the end of a line to standard output. What a terminal might obey is written as JSON escapes it."""
    if sys.stdout.isatty():
        text = "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, is_cut: bool) -> None:
    """Aligned columns to standard output; on a terminal as wide as it is where cells may be cut, and coloured."""
    is_terminal = sys.stdout.isatty()
    table = as_table(headings, rows, columns=shutil.get_terminal_size().columns if is_terminal and is_cut else None)
    if is_terminal and is_coloured():
        sys.stdout.write("\n".join(painted(table)) + "\n")
        sys.stdout.flush()
    else:
        write("\n".join(table))
