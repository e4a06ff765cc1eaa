"""``rollbook check``: is a data directory sound?"""

import os
from typing import Annotated

import typer

from rollbook import assembly
from rollbook.cli.exits import FAILED
from rollbook.cli.terminal import console, say
from rollbook.errors import DataDirectoryUnsound, JournalUnavailable, SettingRefused
from rollbook.settings import Settings, settings_from

DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="The data directory [default: $ROLLBOOK_DATA, or ./data]."),
]


def check(data: DataOption = None) -> None:
    """Say whether a data directory is sound.

    Reads all of it. The exit code is 0 if it is sound; 1, with every reason, if it is not. No server may be using it.
    """
    settings = settings_from(os.environ, data=data)
    problems = problems_in(settings)
    for problem in problems:
        console.print(f"{settings.data}: {problem}", style="red")
    if problems:
        raise typer.Exit(FAILED)
    say(f"{settings.data} is sound")


def problems_in(settings: Settings) -> list[str]:
    """What is wrong with the data directory, a sentence each. Refuses (DataDirectoryLocked) one that is in use."""
    if not assembly.holds_registry(settings):
        return ["there is no registry in it"]
    try:
        return assembly.problems_in(settings)
    except (DataDirectoryUnsound, JournalUnavailable) as trouble:
        return [trouble.message]


def existing_directory(settings: Settings) -> None:
    """Refuses (SettingRefused) a data directory that would have to be made: there is nothing to read in it."""
    if not assembly.holds_registry(settings):
        raise SettingRefused(f"there is no registry in {settings.data}: name its directory with --data")
