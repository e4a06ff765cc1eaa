"""``rollbook check``: is a data directory sound?"""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from rollbook.cli.exits import FAILED
from rollbook.cli.options import DataOption, JournalOption
from rollbook.cli.terminal import complain, say
from rollbook.errors import SettingRefused
from rollbook.settings import Settings, settings_from
from rollbook.view.upkeep import (
    go_on_without_what_is_lost,
    holds_registry,
    problems_in,
    problems_in_shared,
    repair_cluster,
)


def check(data: DataOption = None, journal: JournalOption = None) -> None:
    """Say whether a data directory, or a journal elsewhere, is sound.

    Reads all of it. The exit code is 0 if it is sound; 1, with every reason, if it is not. No server may be using a
    directory; a journal in PostgreSQL is read as of one moment while others use it.
    """
    settings = settings_from(os.environ, data=data, journal=journal)
    if settings.journal.is_shared:
        report(str(settings.journal), problems_in_shared(settings.journal.url))
        return
    problems = problems_in(settings.data) if holds_registry(settings.data) else ["there is no registry in it"]
    report(str(settings.data), problems)


def report(what: str, problems: Sequence[str]) -> None:
    """Print the problems, and exit (1) when there are some."""
    for problem in problems:
        complain(f"{what}: {problem}")
    if problems:
        raise typer.Exit(FAILED)
    say(f"{what} is sound")


def repair(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The damaged cluster.", show_default=False)] = None,
    data: DataOption = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Give up the contents that are damaged and can't be rebuilt.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on from what the journal holds, without the changes it lost.")
    ] = False,
) -> None:
    """Repair what a start was refused for.

    A damaged cluster is rebuilt from its history, byte for byte, where that goes back to its creation. Where it does
    not, --drop gives up what is damaged, and every other cluster is left as it is. No server may be using the
    directory; copy it first.
    """
    settings = settings_from(os.environ, data=data)
    if accept_loss == (id is not None) or (accept_loss and drop):
        raise SettingRefused("name the cluster to repair, or --accept-loss, and not both")
    existing_directory(settings)
    if id is None:
        say(go_on_without_what_is_lost(settings.data))
    else:
        say(repair_cluster(settings.data, id, drop=drop))


def existing_directory(settings: Settings) -> None:
    """Refuses (SettingRefused) a data directory that would have to be made: there is nothing to read in it."""
    if not holds_registry(settings.data):
        raise SettingRefused(f"there is no registry in {settings.data}: name its directory with --data")
