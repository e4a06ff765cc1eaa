"""The registry that a command reads or writes: which one the flags name, opened."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rollbook.cli.places import ImportTarget
from rollbook.errors import SettingRefused
from rollbook.settings import Settings, settings_from


def settings_of(data: str | None, url: str | None, journal: str | None) -> Settings:
    """The settings of a command. Refuses (SettingRefused) more than one of a data directory, a server and an engine."""
    given = [name for name, value in (("--data", data), ("--url", url), ("--journal", journal)) if value is not None]
    if len(given) > 1:
        raise SettingRefused(f"{' and '.join(given)} exclude each other: it is one registry or the other")
    settings = settings_from(os.environ, data=data, journal=journal)
    if data is not None and settings.journal.is_shared:
        raise SettingRefused("ROLLBOOK_JOURNAL names an engine, and --data a registry of its own: unset one")
    return settings


@asynccontextmanager
async def open_place(
    settings: Settings, url: str | None, *, reason: str | None = None, processes: int = 0
) -> AsyncIterator[ImportTarget]:
    """The server at ``url``, or without one the registry of ``settings``. Only that which is used is imported.

    A directory reads and judges lines that are not decoded in as many ``processes``.
    """
    if url is not None:
        from rollbook.cli.remote import open_server

        async with open_server(url, reason) as server:
            yield server
    else:
        from rollbook.cli.local import open_directory

        async with open_directory(settings, reason, processes=processes) as directory:
            yield directory
