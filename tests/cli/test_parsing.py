"""Command lines that are understood without Typer: as Typer understands them, or not at all."""

from functools import cache
from inspect import Parameter, signature
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.cli.catalogue import COMMANDS
from rollbook.cli.commands import loaded
from rollbook.cli.nouns.parsing import verb_of

PLAIN = ("west", "a=1", "-", "5", "0", "-1", "1.5", "", "--", "x y", '{"id": "a"}', "10s", "-x", "live", "1_0", "٣")
"""Words that are values, or may be taken for one."""


@cache
def command_of(*words: str) -> Any:
    """A verb, as Typer runs it."""
    command = loaded(next(row for row in COMMANDS if row.name == words[0]))
    return command.commands[words[1]] if len(words) > 1 else command


def typers_parameters(words: list[str]) -> dict[str, Any] | None:
    """What Typer would give the command; None where it refuses the line, or prints help."""
    verb = words[:2] if words[0] in NOUNS else words[:1]
    command, rest = command_of(*verb), words[len(verb) :]
    try:
        context = command.make_context("rollbook", list(rest))
    except Exception:
        return None
    parameters: dict[str, Any] = context.params
    return parameters


VERBS = [
    ["cluster", "ls"],
    ["cluster", "get"],
    ["cluster", "set"],
    ["cluster", "rm"],
    ["cluster", "wait"],
    ["cluster", "history"],
    ["cluster", "apply"],
    ["fleet", "fit"],
    ["fleet", "top"],
    ["heartbeat", "send"],
    ["webhook", "create"],
    ["dead-letter", "retry"],
    ["schema"],
    ["api"],
    ["doctor"],
    ["login"],
]

NOUNS = {words[0] for words in VERBS if len(words) > 1}


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A verb with some of its options, values and other words, in any order."""
    words = draw(st.sampled_from(VERBS))
    command = command_of(*words)
    options = [name for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")]
    word = st.sampled_from(options) | st.sampled_from(PLAIN)
    joined = st.builds("{}={}".format, st.sampled_from(options), st.sampled_from(PLAIN))
    return [*words, *draw(st.lists(word | joined, max_size=6))]


@settings(max_examples=200, deadline=None)
@given(lines())
def test_what_is_understood_is_understood_as_typer_does(words: list[str]) -> None:
    found = verb_of(words)
    if found is None:
        return
    command, given = found
    expected = typers_parameters(words)
    assert expected is not None, (words, given)
    normal = {name: value or None for name, value in given.items()}
    assert normal == {
        name: (list(value) if isinstance(value, tuple) else value) or None for name, value in expected.items()
    }
    assert given.keys() == signature(command).parameters.keys()
    assert Parameter.empty not in given.values()


@pytest.mark.parametrize(
    "line",
    [
        "cluster ls",
        "cluster ls live gpus>=8 -o json --limit 5 --sort=id",
        "cluster get west east --at 2026-01-01T00:00:00Z",
        "cluster set west status=draining --reason maintenance",
        "cluster rm west -y",
        "fleet count -f {}",
        "fleet top --once --every 0.5",
        "node ls west --context lab",
        "webhook ls --url http://localhost:3000 --token-file token",
        "doctor",
        "schema gpus.count -o yaml",
    ],
)
def test_ordinary_lines_are_understood(line: str) -> None:
    assert verb_of(line.split()) is not None


@pytest.mark.parametrize(
    "line", ["", "nothing", "cluster", "cluster lss", "cluster ls -h", "cluster ls --limit x", "cluster get", "serve"]
)
def test_all_else_is_left_to_typer(line: str) -> None:
    assert verb_of(line.split()) is None
