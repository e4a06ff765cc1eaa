"""The table of statuses covers the whole tree of errors."""

from collections.abc import Iterator

import pytest

from rollbook.api.problems import STATUSES, members_of
from rollbook.errors import RegistryError


def tree(error: type[RegistryError]) -> Iterator[type[RegistryError]]:
    """``error`` and all below it."""
    yield error
    for child in error.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("error", list(tree(RegistryError)))
def test_every_error_has_a_status_and_says_itself_in_a_sentence(error: type[RegistryError]) -> None:
    assert error in STATUSES
    members = members_of(error())
    assert members["status"] == STATUSES[error]
    assert str(members["title"]).endswith(".")


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in tree(RegistryError)]
    assert len(codes) == len(set(codes))
