"""The sole right to write among writers of one process."""

from rollbook.errors import DataDirectoryLocked


class MemoryTenure:
    """A right (see ``tenure.Tenure``) that one holder at a time has, and that can be lost on request."""

    def __init__(self, holders: list["MemoryTenure"]) -> None:
        """Join the holders of one journal; refuses (DataDirectoryLocked) when there is one already."""
        if holders:
            raise DataDirectoryLocked("another writer of this process holds the journal")
        holders.append(self)
        self._holders = holders
        self._loss: str | None = None

    def lose(self, reason: str) -> None:
        """Let the right be gone, and let others in."""
        self._loss = reason
        self.release()

    def loss(self) -> str | None:
        """See ``Tenure.loss``."""
        return self._loss

    def release(self) -> None:
        """See ``Tenure.release``."""
        if self in self._holders:
            self._holders.remove(self)
