"""Who does what one process of a registry does for all: the keeper.

One rule: it is asked each time. A process that was the keeper a moment ago may not be it now.
"""


class Duty:
    """Whether this process is the keeper: it writes silences down, delivers webhooks, compacts and makes backups."""

    __slots__ = ("is_alone", "is_ours")

    def __init__(self, *, is_alone: bool = True) -> None:
        self.is_alone = is_alone
        """Whether there are no other processes."""
        self.is_ours = is_alone
        """A process that is alone is the keeper at all times."""
