"""What a person sees. Results go to standard output; everything said about them goes to standard error."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollbook.addresses import without_passwords
from rollbook.errors import RegistryError

RED, YELLOW, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"
FORM = {"errors as JSON": False}


def printable(text: str) -> str:
    r"""The text as one line that is safe on a terminal: what is not printable as ``\n``, ``\x1b`` or ``\u202e``.

    Names of clusters and answers of servers may hold anything, and terminals obey control characters.
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def write_errors_as_json(asked: bool) -> None:
    """Whether ``explain`` writes JSON: results are JSON then too."""
    FORM["errors as JSON"] = asked


def counted(count: int, noun: str) -> str:
    """``1 document``, ``2 documents``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def say(text: str) -> None:
    """One line for the person at the terminal."""
    _write(printable(text))


def complain(text: str) -> None:
    """One line about what is wrong."""
    _write(printable(text), RED)


def is_coloured() -> bool:
    """Whether a terminal may be written to in colours."""
    return not os.environ.get("NO_COLOR")


def _write(line: str, style: str = "") -> None:
    line = without_passwords(line)  # which may be those of an argument that is no address to who took it
    wants_style = style and sys.stderr.isatty() and is_coloured()
    sys.stderr.write(f"{style}{line}{PLAIN}\n" if wants_style else f"{line}\n")
    sys.stderr.flush()


def explain(error: RegistryError, *, place: str = "") -> None:
    """What was refused and why, each problem on a line of its own. ``place`` says where: ``"line 3"``."""
    if FORM["errors as JSON"]:
        _explain_as_json(error)
        return
    start = f"{place}: " if place else ""
    at, problems = error.at, error.problems
    if [problem.problem for problem in problems] == [error.message]:
        at, problems = problems[0].at, ()
    line = f"{start}{error.message}{f' (at {at})' if at else ''} [{error.code}]"
    _write(printable(line), RED)
    for problem in problems:
        said = printable(f"{problem.at or 'the document'}: {problem.problem}")
        _write(f"  {said}")


def _explain_as_json(error: RegistryError) -> None:
    """The error as one line of JSON: ``code``, ``error``, and where there are any ``at`` and ``errors``."""
    import json

    body: dict[str, object] = {"code": error.code, "error": error.message}
    body |= {"at": error.at} if error.at else {}
    problems = [{"at": each.at, "problem": each.problem} for each in error.problems]
    _write(json.dumps(body | ({"errors": problems} if problems else {})))


def warn(text: str) -> None:
    """Something that is worth a look but stops nothing."""
    _write(printable(f"warning: {text}"), YELLOW)


def warn_loudly(title: str, text: str) -> None:
    """A warning that can't be missed: framed on a terminal; in a log, lines that begin with WARNING."""
    if sys.stderr.isatty():
        from rich.console import Console  # which takes long to import
        from rich.panel import Panel

        Console(stderr=True).print(Panel(text, title=title, style="bold white on red", padding=(1, 4)))
    else:
        for line in (title, *text.splitlines()):
            _write(f"WARNING: {line}" if line else "WARNING")


def confirm(question: str) -> None:
    """Ask a person; end with exit code 1 unless the answer is yes."""
    sys.stderr.write(f"{printable(question)} [y/N]: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if answer.strip().lower() not in ("y", "yes"):
        _write("Aborted." if answer else "\nAborted.")
        raise SystemExit(1)


@contextmanager
def progress(
    label: str, *, total: int | None, hidden: bool = False, unit: str = "documents"
) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere. Gives a function that takes (steps of ``total``, documents)."""
    if hidden or not sys.stderr.isatty():
        yield lambda steps, documents: None
        return
    from rich.console import Console  # which takes long to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(f"{{task.fields[documents]:,}} {unit}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, documents=0)
        counted = 0

        def advance(steps: int, documents: int) -> None:
            nonlocal counted
            counted += documents
            bar.update(task, advance=steps, documents=counted)

        yield advance
