"""``rollbook backup``: everything that a registry keeps, into one file, and back."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, BinaryIO, cast

import typer

from rollbook.assembly import now_ms
from rollbook.cli.directories import existing_directory
from rollbook.cli.nouns.verbs import ContextOption, TokenFileOption, UrlOption
from rollbook.cli.options import DataOption
from rollbook.cli.targets import Target, target_of
from rollbook.cli.terminal import progress, say
from rollbook.errors import RequestRefused, SettingRefused
from rollbook.journal.backups import Manifest, make_backup, restore_backup, verify_backup
from rollbook.journal.opening import open_journal
from rollbook.registry.history.moments import parse_time
from rollbook.settings import settings_from

LOOK_SECONDS = 0.2

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def backup() -> None:
    """Back up a registry, verify a backup, and restore it."""


@app.command("create")
def create(
    file: FileArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    context: ContextOption = None,
) -> None:
    """Write a backup of a data directory that no server uses, or of a running server (--url or --context).

    It holds the documents, their history, leases, webhooks with their secrets, and tokens as digests. The file gets
    its name when it is whole, and is verified.
    """
    if data is not None and (url is not None or context is not None):
        raise SettingRefused("name a data directory or a server, and not both")
    part = file.with_name(f"{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out, progress("backing up", total=None, unit="bytes") as advance:
            if url is None and context is None:
                settings = settings_from(os.environ, data=data)
                if data is None and settings.journal.is_shared:
                    raise SettingRefused("ROLLBOOK_JOURNAL names an engine: name one of its servers with --url")
                existing_directory(settings)
                journal = open_journal(settings.data)
                try:
                    make_backup(journal, settings.data, cast(BinaryIO, _Counting(out, advance)), at_ms=now_ms())
                finally:
                    journal.close()
            else:
                _download(target_of(url, token_file, context), out, advance)
            out.flush()
            os.fsync(out.fileno())
        manifest = verify_backup(part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    say(f"{file} holds {_described(manifest)}")


@app.command("verify")
def verify(file: FileArgument) -> None:
    """Say whether a backup is whole, and what it holds. All of it is read, and unpacked beside the system's files."""
    say(f"{file} is whole and holds {_described(verify_backup(file))}")


@app.command("restore")
def restore(
    file: FileArgument,
    data: DataOption = None,
    to_revision: Annotated[
        int | None, typer.Option(min=0, metavar="REVISION", help="As it was at this revision.")
    ] = None,
    to_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="As it was at this time: ISO 8601, or Unix seconds.")
    ] = None,
) -> None:
    """Make a data directory of a backup, which must not hold anything yet.

    With --to-revision or --to-time it is as it was then, as far as the history in the backup goes back.
    """
    if to_revision is not None and to_time is not None:
        raise SettingRefused("name a revision or a time, and not both")
    settings = settings_from(os.environ, data=data)
    try:
        to_ms = None if to_time is None else parse_time(to_time)
    except RequestRefused as refusal:
        raise SettingRefused(f"--to-time: {refusal.message}") from None
    with _growth(settings.data.absolute().parent, f"{settings.data.name}-"):
        revision = restore_backup(file, settings.data, to_revision=to_revision, to_ms=to_ms)
    say(f"{settings.data} is at revision {revision}")


def _download(target: Target, out: BinaryIO, advance: Callable[[int, int], None]) -> None:
    """Write the backup of a server as it comes. Raises its refusal, or RegistryUnreachable."""
    from rollbook.client import Client  # which not all need

    with Client(target.url, token=target.token) as client:
        for piece in client.registry.backup():
            out.write(piece)
            advance(0, len(piece))


class _Counting:
    """A file that is written, with the progress of that."""

    def __init__(self, file: BinaryIO, advance: Callable[[int, int], None]) -> None:
        self._file, self._advance = file, advance

    def write(self, data: bytes) -> int:
        """Write, and count it."""
        self._advance(0, len(data))
        return self._file.write(data)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._file.flush()


@contextmanager
def _growth(folder: Path, prefix: str) -> Iterator[None]:
    """Shows how many bytes there are in the new folders beside a data directory, which become it."""
    done = Event()
    with progress("restoring", total=None, unit="bytes", hidden=not folder.is_dir()) as advance:

        def watch() -> None:
            counted = 0
            while not done.wait(LOOK_SECONDS):
                found = _bytes_below(folder, prefix)
                advance(0, found - counted)
                counted = found

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _bytes_below(folder: Path, prefix: str) -> int:
    found = 0
    for each in folder.glob(f"{prefix}*/**/*"):
        with suppress(OSError):  # it was moved to its place meanwhile
            found += each.stat().st_size
    return found


def _described(manifest: Manifest) -> str:
    time = datetime.fromtimestamp(manifest.at_ms / 1000, UTC).isoformat(timespec="seconds")
    clusters = f"{manifest.clusters} cluster{'' if manifest.clusters == 1 else 's'}"
    return f"{clusters} at revision {manifest.revision}, of {time.replace('+00:00', 'Z')}"
