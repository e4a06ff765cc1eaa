"""What a person sees. Results go to standard output; everything said about them goes to standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rollbook.errors import RegistryError

console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def printable(text: str) -> str:
    r"""The text as one line that is safe on a terminal: what is not printable as ``\n``, ``\x1b`` or ``\u202e``.

    Names of clusters and answers of servers may hold anything, and terminals obey control characters.
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def say(text: str) -> None:
    """One line for the person at the terminal."""
    console.print(printable(text))


def explain(error: RegistryError, *, place: str = "") -> None:
    """What was refused and why, each problem on a line of its own. ``place`` says where: ``"line 3"``."""
    start = f"{place}: " if place else ""
    at, problems = error.at, error.problems
    if [problem.problem for problem in problems] == [error.message]:
        at, problems = problems[0].at, ()
    line = f"{start}{error.message}{f' (at {at})' if at else ''} [{error.code}]"
    console.print(printable(line), style="red")
    for problem in problems:
        said = printable(f"{problem.at or 'the document'}: {problem.problem}")
        console.print(f"  {said}")


def warn(text: str) -> None:
    """Something that is worth a look but stops nothing."""
    console.print(printable(f"warning: {text}"), style="yellow")


def warn_loudly(title: str, text: str) -> None:
    """A warning that can't be missed: framed on a terminal; in a log, lines that begin with WARNING."""
    if console.is_terminal:
        console.print(Panel(text, title=title, style="bold white on red", padding=(1, 4)), soft_wrap=False)
    else:
        for line in (title, *text.splitlines()):
            console.print(f"WARNING: {line}" if line else "WARNING")


@contextmanager
def progress(label: str, *, total: int | None, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere. Gives a function that takes (steps of ``total``, documents)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[documents]} documents"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task(label, total=total, documents=0)
        counted = 0

        def advance(steps: int, documents: int) -> None:
            nonlocal counted
            counted += documents
            bar.update(task, advance=steps, documents=counted)

        yield advance
