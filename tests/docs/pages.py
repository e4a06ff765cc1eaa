"""The examples of a page, read and compared.

One rule: what a page shows is what a reader gets. Two kinds of fenced block are executed, in the order of the page:

- ``console``: lines that begin with ``$ `` are commands (they go on while a quote is open, or a line ends in a
  backslash or a pipe); the lines below are what the command prints.
- ``pycon``: a Python session, as doctest reads it.

Output is compared as text, and ``...`` stands for anything. Where both sides are JSON, values are compared, so a page
may lay JSON out for its reader; there the text ``"..."`` stands for any value, and the member ``"...": "..."`` for any
other members.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page and what it prints."""

    line: int
    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class Session:
    """One Python session of a page."""

    line: int
    text: str


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def examples_of(page: Path) -> Iterator[Command | Session]:
    """The examples of a page, in its order."""
    text = page.read_text()
    for block in FENCE.finditer(text):
        language, body = block.groups()
        line = text.count("\n", 0, block.start(2)) + 1
        if language == "console":
            yield from commands_of(body, first_line=line)
        elif language == "pycon":
            yield Session(line, body)


def commands_of(block: str, *, first_line: int = 1) -> Iterator[Command]:
    """The commands of a ``console`` block."""
    lines = block.splitlines()
    place = 0
    while place < len(lines):
        assert lines[place].startswith("$ "), f"line {first_line + place}: a console block begins with a command"
        start, command = place, lines[place].removeprefix("$ ")
        place += 1
        while command.endswith(("\\", "|")) or command.count("'") % 2:
            command += "\n" + lines[place]
            place += 1
        printed = place
        while place < len(lines) and not lines[place].startswith("$ "):
            place += 1
        yield Command(first_line + start, command, "\n".join(lines[printed:place]))


def shows(expected: str, printed: str) -> bool:
    """Whether a page that says ``expected`` is true of a command that prints ``printed``."""
    expected, printed = expected.strip(), printed.strip()
    if expected == printed:
        return True
    try:
        return shows_json(json.loads(expected), json.loads(printed))
    except json.JSONDecodeError:
        pattern = re.escape(expected).replace(re.escape("..."), ".*")
        return "..." in expected and re.fullmatch(pattern, printed, re.DOTALL) is not None


def shows_json(expected: Any, printed: Any) -> bool:
    """As ``shows``, for values."""
    match expected:
        case "...":
            return True
        case dict():
            members = {name: value for name, value in expected.items() if name != "..."}
            return (
                isinstance(printed, dict)
                and (members.keys() <= printed.keys() if "..." in expected else members.keys() == printed.keys())
                and all(shows_json(value, printed[name]) for name, value in members.items())
            )
        case list():
            return (
                isinstance(printed, list) and len(expected) == len(printed) and all(map(shows_json, expected, printed))
            )
    return type(expected) is type(printed) and bool(expected == printed)
