"""What every tenure is. A body inherits these tests and says how the right is taken, and how it is lost."""

from typing import ClassVar

import pytest

from rollbook.errors import DataDirectoryLocked, RegistryError
from rollbook.journal.tenure import Tenure


class TenureContract:
    """All tenures of one test are of the same journal."""

    refused: ClassVar[type[RegistryError]] = DataDirectoryLocked

    def taken(self) -> Tenure:
        raise NotImplementedError

    def lose(self, tenure: Tenure) -> None:
        """Let the right be gone although its holder did not release it."""
        raise NotImplementedError

    def test_a_right_that_is_held_is_not_lost(self) -> None:
        tenure = self.taken()
        assert tenure.loss() is None
        tenure.release()

    def test_one_holder_has_it_at_a_time(self) -> None:
        tenure = self.taken()
        with pytest.raises(self.refused):
            self.taken()
        assert tenure.loss() is None
        tenure.release()
        self.taken().release()

    def test_releasing_twice_leaves_the_next_holder_alone(self) -> None:
        first = self.taken()
        first.release()
        second = self.taken()
        first.release()
        assert second.loss() is None
        with pytest.raises(self.refused):
            self.taken()
        second.release()

    def test_a_lost_right_stays_lost_and_says_why(self) -> None:
        first = self.taken()
        self.lose(first)
        assert first.loss()
        second = self.taken()
        assert first.loss()
        first.release()
        assert second.loss() is None
        second.release()
