"""Completion: what may follow on a command line that is being typed, for bash, zsh and fish.

Theory: the shell runs ``rollbook __complete SHELL WORD...`` at every Tab, so the commands themselves, which take long
to import, are not looked at. A table of them stands beside this module, written by ``make reference``; ids are asked of
the server, which has a second to answer.

One rule: completion never fails and never says anything. What can't be found out is not offered.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("completions.json")
ANSWER_SECONDS_MAX = 1.0
CANDIDATES_MAX = 100
FORMATS = ("table", "wide", "json", "jsonl", "yaml", "csv", "name", "columns=")
HELP = ("-h", "--help")
LISTS = frozenset({"--sort", "--columns", "--fields"})
"""Options whose value is a list of fields."""

SCRIPTS = {
    "bash": """\
_rollbook() {
    local IFS=$'\\n'
    COMPREPLY=($(rollbook __complete bash "$COMP_LINE" "$COMP_POINT" 2>/dev/null))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/,] ]] && compopt -o nospace
    return 0
}
complete -F _rollbook rollbook
""",
    "zsh": """\
#compdef rollbook
_rollbook() {
    local -a found
    found=("${(@f)$(rollbook __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -Q -S '' -- ${(M)found:#*[=/,]}
    compadd -Q -- ${found:#*[=/,]}
}
compdef _rollbook rollbook
""",
    "fish": """\
complete -c rollbook -f -a '(rollbook __complete fish (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
""",
}


def complete(arguments: Sequence[str]) -> None:
    """Print the candidates for ``SHELL WORD...``, a line each; the last word is the one that is typed."""
    shell, words = arguments[0], list(arguments[1:])
    if shell == "bash":
        words = _words_of(words[0], int(words[1]))
    found = sorted(set(candidates(words)))
    if shell == "bash":  # which takes = and : for the ends of words
        start = max(words[-1].rfind("="), words[-1].rfind(":")) + 1
        found = [each[start:] for each in found]
    print("\n".join(found[:CANDIDATES_MAX]))


def candidates(words: Sequence[str]) -> Iterator[str]:
    """What the last word may become."""
    *before, word = words
    table = read_table()
    commands = table["commands"]
    noun = next((each for each in before if not each.startswith("-")), None)
    if noun is None:
        yield from _beginning(word, [*commands, *HELP, "--version"])
        return
    command, rest = commands.get(noun), before[before.index(noun) + 1 :]
    if command is None:
        return
    if "verbs" in command:
        verb = next((each for each in rest if not each.startswith("-")), None)
        if verb is None:
            yield from _beginning(word, [*command["verbs"], *HELP])
            return
        command, rest = command["verbs"].get(verb), rest[rest.index(verb) + 1 :]
        if command is None:
            return
    yield from _of_command(noun, command, rest, word, table)


def read_table() -> dict[str, Any]:
    """The commands with their options and arguments, the documented fields, and the documented statuses."""
    table: dict[str, Any] = json.loads(TABLE.read_text())
    return table


def _of_command(noun: str, command: dict[str, Any], rest: list[str], word: str, table: dict[str, Any]) -> Iterator[str]:
    options: dict[str, str | None] = command["options"]
    if rest and options.get(rest[-1]):
        yield from _of_kind(str(options[rest[-1]]), rest[-1], noun, word, rest, table)
        return
    if word.startswith("-"):
        yield from _beginning(word, [*options, *HELP])
        return
    given, skip = [], False
    for each in rest:
        if not skip and not each.startswith("-"):
            given.append(each)
        skip = bool(each.startswith("-") and options.get(each))
    arguments: list[str] = command["arguments"]
    if arguments:
        place = min(len(given), len(arguments) - 1)
        if place == len(given) or arguments[place].endswith("..."):
            yield from _of_kind(arguments[place], "", noun, word, given, table)


def _of_kind(
    kind: str, option: str, noun: str, word: str, given: Sequence[str], table: dict[str, Any]
) -> Iterable[str]:
    """The values of an option or argument, by the name that its help gives it."""
    match kind.rstrip(".").strip("[]"):
        case "FORMAT":
            return _fields_in(word, table) if word.startswith("columns=") else _beginning(word, FORMATS)
        case "PATHS" | "PATH" if option in LISTS or kind == "PATHS":
            return _fields_in(word, table)
        case "PATH" if noun != "cluster":
            return _beginning(word, table["fields"])
        case "PATH=VALUE":
            return _assignments(word, table)
        case "ID" if noun in ("webhook", "dead-letter"):
            return _ids("/webhooks", word)
        case "ID" if noun in ("cluster", "node", "heartbeat"):
            return _clusters(word)
        case "NODE":
            from urllib.parse import quote

            return _ids(f"/clusters/{quote(given[0], safe='')}/nodes", word) if given else ()
        case "NAME" if option == "--context" or noun == "context":
            return _contexts(word)
        case "SHELL":
            return _beginning(word, SCRIPTS)
        case "FILE" | "DIR" | "PATH":
            return _files(word)
    return ()


def _beginning(word: str, known: Iterable[str]) -> list[str]:
    return [each for each in known if each.startswith(word)]


def _fields_in(word: str, table: dict[str, Any]) -> list[str]:
    """Candidates for the last of several fields with commas; a minus before one turns an order round."""
    start = max(word.rfind(","), word.rfind("=")) + 1
    start += word[start : start + 1] == "-"
    return [word[:start] + each for each in _beginning(word[start:], table["fields"])]


def _assignments(word: str, table: dict[str, Any]) -> list[str]:
    path, equals, value = word.partition("=")
    if equals:
        return [f"status={each}" for each in _beginning(value, table["statuses"])] if path == "status" else []
    return [f"{each}=" for each in _beginning(word, table["fields"])]


def _clusters(word: str) -> list[str]:
    pattern = "^" + "".join(each if each.isalnum() or each == "_" else f"\\{each}" for each in word)
    body = {"query": {"id": {"$regex": pattern}}, "projection": {"id": 1}, "sort": {"id": 1}, "limit": CANDIDATES_MAX}
    return _printable(_beginning(word, (str(each["id"]) for each in _asked("POST", "/clusters/query", body))))


def _ids(path: str, word: str) -> list[str]:
    return _printable(_beginning(word, (str(each["id"]) for each in _asked("GET", path, None))))


def _printable(found: Iterable[str]) -> list[str]:
    """Those that a shell can be given: an id with a space or a control character would end up as something else."""
    return [each for each in found if each.isprintable() and not set(each) & set(" \t'\"\\$`;&|<>()*?[]#~!{}")]


def _asked(method: str, path: str, body: Any) -> list[Any]:
    """What the server of the context answers; nothing where it does not, or not soon."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # only where a server is asked
    from urllib.parse import urlsplit

    from rollbook.cli.targets import target_of
    from rollbook.errors import RegistryError

    try:
        target = target_of(None, None, None)
        parts = urlsplit(target.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS_MAX)
        headers = {"content-type": "application/json"}
        headers |= {"authorization": f"Bearer {target.token}"} if target.token else {}
        with closing(connection):
            connection.request(method, parts.path.rstrip("/") + path, body and json.dumps(body), headers)
            found = json.loads(connection.getresponse().read())
    except (RegistryError, OSError, HTTPException, ValueError):
        return []
    return [each for each in found if isinstance(each, dict) and "id" in each] if isinstance(found, list) else []


def _contexts(word: str) -> list[str]:
    from rollbook.cli.targets import read_contexts
    from rollbook.errors import RegistryError

    try:
        return _beginning(word, read_contexts().named)
    except RegistryError:
        return []


def _files(word: str) -> list[str]:
    folder, name = os.path.split(word)
    try:
        with os.scandir(folder or ".") as entries:
            return [
                os.path.join(folder, each.name) + ("/" if each.is_dir() else "")
                for each in entries
                if each.name.startswith(name) and (name or not each.name.startswith("."))
            ]
    except OSError:
        return []


def _words_of(line: str, point: int) -> list[str]:
    """The words of a line up to the cursor, without the command; the last one is that which is typed."""
    import shlex

    typed = line.encode()[:point].decode(errors="replace")
    for quote_mark in ("", "'", '"'):
        try:
            words = shlex.split(typed + quote_mark)
        except ValueError:
            continue
        return words[1:] + ([""] if typed[-1:].isspace() or len(words) < 2 else [])
    return [""]
