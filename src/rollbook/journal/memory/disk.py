"""The disk that a store in memory does not have, and that fails on request all the same."""

from rollbook.errors import JournalUnavailable


class MemoryDisk:
    """What every change of a store passes before anything of it is kept."""

    def __init__(self) -> None:
        self.problem: str | None = None
        """Why nothing can be written; None while it can."""

    def write(self) -> None:
        """Fails (JournalUnavailable) while there is a problem."""
        if self.problem is not None:
            raise JournalUnavailable(self.problem)
