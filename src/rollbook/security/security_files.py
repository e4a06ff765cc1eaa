"""The security file of a running server, which is read again when it changes.

One rule: a file that has become wrong, or is gone, changes nothing: what was read before stays in force, and the log
and ``/readyz`` say why.
"""

import asyncio
import logging
import os
from pathlib import Path

from rollbook.errors import SettingRefused
from rollbook.security.configuration import Configuration, read_configuration
from rollbook.security.identities import Identities

LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


class SecurityFile:
    """One file, and what it said when it was last right."""

    def __init__(self, file: Path) -> None:
        """Blocks. Refuses (SettingRefused) a file that is wrong now."""
        self.problem: str | None = None
        """Why what is in the file now is not in force; None when it is."""
        self._file = file
        self._state = _state_of(file)
        self.configuration: Configuration = read_configuration(file)

    async def look(self, identities: Identities) -> None:
        """Read the file again if it has changed, and put into force what it says."""
        state = await asyncio.to_thread(_state_of, self._file)
        if state == self._state:
            return
        self._state = state
        try:
            self.configuration = await asyncio.to_thread(read_configuration, self._file)
        except SettingRefused as refusal:
            self.problem = refusal.message
            logger.error("%s; what was read before it stays in force", refusal.message)
        else:
            self.problem = None
            identities.configure(self.configuration)
            logger.info("the security file was read again from %s", self._file)


def opened_file(file: Path | None) -> SecurityFile | None:
    """The security file, where there is one. Blocks. Refuses (SettingRefused) one that is wrong."""
    return None if file is None else SecurityFile(file)


def _state_of(file: Path) -> tuple[int, int, int, int]:
    """How a file differs from one that was at its path before. Blocks."""
    try:
        status = os.stat(file)
    except OSError:
        return 0, 0, 0, 0
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
