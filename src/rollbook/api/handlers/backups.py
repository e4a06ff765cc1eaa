"""The operation that answers with a backup of the whole registry."""

from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rollbook.api import headers
from rollbook.api.asking import registry_of
from rollbook.api.declarations import Answer, Operation
from rollbook.api.offloading import off_the_loop
from rollbook.api.responses import REVISION_HEADER
from rollbook.api.schemas.messages import TEXT

BACKUP = "application/vnd.rollbook.backup"
PIECE_BYTES = 256 * 1024


async def read_backup(request: Request) -> Response:
    """A backup, as one file."""
    path, manifest = await registry_of(request).backups.make_temporary()
    about = {
        REVISION_HEADER: str(manifest.revision),
        "content-length": str(path.stat().st_size),
        "content-disposition": f'attachment; filename="rollbook-r{manifest.revision}.backup"',
        "cache-control": "no-store",
    }
    return StreamingResponse(_pieces(path), 200, about, BACKUP)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """The file in pieces. It is gone as soon as it is open, whatever becomes of its reader."""
    with path.open("rb") as file:
        path.unlink()
        while piece := await off_the_loop(lambda: file.read(PIECE_BYTES), size_bytes=0):
            yield piece


OPERATIONS = (
    Operation(
        name="getBackup",
        method="GET",
        path="/backup",
        handler=read_backup,
        tag="operations",
        summary="Back up the registry",
        verb="backup",
        audited=True,
        answers=(
            Answer(
                200,
                "a [backup](../guides/backups.md): one file, as of the revision in `X-Registry-Revision`",
                TEXT,
                (headers.CONTENT_DISPOSITION, headers.CACHE_CONTROL),
                (BACKUP,),
            ),
        ),
    ),
)
