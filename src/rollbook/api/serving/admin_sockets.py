"""The admin socket: a Unix socket in the data directory, whose callers are administrators.

Theory: who can open it could read and write the files beside it too, so it gives nothing away. The kernel says which
user is at the other end.

One rule: it is never a reason not to start, and never open to others than the owner of the directory.
"""

import contextlib
import logging
import os
import socket
import struct
from asyncio import BaseTransport
from collections.abc import Iterator
from pathlib import Path

FILE_NAME = "admin.sock"
PATH_BYTES_MAX = 107
BACKLOG = 64
CREDENTIALS = struct.Struct("3i")
"""What the kernel knows of a peer: the ids of its process, its user and its group."""

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def admin_socket_in(directory: Path) -> Iterator[socket.socket | None]:
    """The admin socket of a directory, which this process has locked, listening; None where there can be none."""
    path = directory.absolute() / FILE_NAME
    opened = _opened(path)
    try:
        yield opened
    finally:
        if opened is not None:
            opened.close()
            with contextlib.suppress(OSError):
                path.unlink()


def uid_of(transport: BaseTransport) -> int:
    """The id of the user at the other end of a connection to the admin socket."""
    # a socket of our own for a moment, for that of the transport may have no options
    descriptor = os.dup(transport.get_extra_info("socket").fileno())
    with socket.socket(fileno=descriptor) as peer:
        _, uid, _ = CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    return int(uid)


def _opened(path: Path) -> socket.socket | None:
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        logger.warning("there is no admin socket, for its path would be longer than %d bytes: %s", PATH_BYTES_MAX, path)
        return None
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # of a process that was killed: the lock of the directory is ours
        listening.bind(str(path))
        path.chmod(0o600)  # before it listens, so that nobody else has connected
        if path.stat().st_mode & 0o077:
            raise PermissionError("its permissions can't be changed")
        listening.listen(BACKLOG)
    except OSError as problem:
        logger.warning("there is no admin socket at %s: %s", path, problem.strerror or problem)
        listening.close()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    listening.setblocking(False)
    return listening
