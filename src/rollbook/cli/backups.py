"""``rollbook backup``: everything that a registry keeps, into one file, and back."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rollbook.assembly import now_ms
from rollbook.cli.directories import existing_directory
from rollbook.cli.options import DataOption
from rollbook.cli.terminal import say
from rollbook.documents.codec import decode_stored
from rollbook.errors import RegistryUnreachable, RequestRefused, SettingRefused
from rollbook.journal.backups import Manifest, make_backup, restore_backup, verify_backup
from rollbook.journal.opening import open_journal
from rollbook.registry.history.moments import parse_time
from rollbook.settings import settings_from

UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="Back up the running server at this URL.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def backup() -> None:
    """Back up a registry, verify a backup, and restore it."""


@app.command("create")
def create(file: FileArgument, data: DataOption = None, url: UrlOption = None) -> None:
    """Write a backup of a data directory that no server uses, or of a running server (--url).

    It holds the documents, their history, leases, webhooks with their secrets, and tokens as digests. The file gets
    its name when it is whole, and is verified.
    """
    if data is not None and url is not None:
        raise SettingRefused("name a data directory or a server, and not both")
    part = file.with_name(f"{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            if url is None:
                settings = settings_from(os.environ, data=data)
                existing_directory(settings)
                journal = open_journal(settings.data)
                try:
                    make_backup(journal, settings.data, out, at_ms=now_ms())
                finally:
                    journal.close()
            else:
                _download(url, out.write)
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
    revision = restore_backup(file, settings.data, to_revision=to_revision, to_ms=to_ms)
    say(f"{settings.data} is at revision {revision}")


def _download(url: str, write: Callable[[bytes], object]) -> None:
    """Write the backup of a server as it comes. Raises its refusal, or RegistryUnreachable."""
    import httpx2  # which takes long to import, and not all need it

    from rollbook.client.replies import refusal_of

    try:
        with httpx2.stream("GET", f"{url.rstrip('/')}/backup", timeout=httpx2.Timeout(30, read=None)) as answer:
            if answer.status_code != 200:
                raise refusal_of(decode_stored(answer.read()))
            for piece in answer.iter_bytes():
                write(piece)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise RegistryUnreachable(f"no backup came from {url}: {error}") from None


def _described(manifest: Manifest) -> str:
    time = datetime.fromtimestamp(manifest.at_ms / 1000, UTC).isoformat(timespec="seconds")
    clusters = f"{manifest.clusters} cluster{'' if manifest.clusters == 1 else 's'}"
    return f"{clusters} at revision {manifest.revision}, of {time.replace('+00:00', 'Z')}"
