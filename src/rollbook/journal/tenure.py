"""Who may hold the registry: what a journal needs to know that no other process writes to it."""

from typing import Protocol


class Tenure(Protocol):
    """The sole right to write to one journal. It ends when it is released or when the process does."""

    def loss(self) -> str | None:
        """Says why the right is gone although it was not released; None while it is held."""
        ...

    def release(self) -> None:
        """Let others in. Releasing twice is harmless."""
        ...
