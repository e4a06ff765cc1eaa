"""Every error has an exit code, and every exit code a meaning."""

from collections.abc import Iterator

import pytest

from rollbook.cli.exits import DIFFERS, DONE, EXIT_CODES, MEANINGS, exit_code_of
from rollbook.errors import DataDirectoryLocked, FilterRefused, IdImmutable, RegistryError, SettingRefused


def tree(kind: type[RegistryError] = RegistryError) -> Iterator[type[RegistryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("kind", [kind for kind in tree() if kind is not RegistryError])
def test_every_error_has_a_row_of_its_own_or_of_an_ancestor_below_the_root(kind) -> None:
    assert any(ancestor in EXIT_CODES for ancestor in kind.__mro__ if ancestor not in RegistryError.__mro__)


def test_every_code_has_a_meaning_and_none_is_success() -> None:
    assert set(EXIT_CODES.values()) == MEANINGS.keys() - {DONE, DIFFERS}


@pytest.mark.parametrize(
    ("error", "code"),
    [(RegistryError(), 1), (SettingRefused(), 2), (FilterRefused(), 3), (IdImmutable(), 3), (DataDirectoryLocked(), 5)],
)
def test_an_error_without_a_row_takes_its_ancestor_s(error, code) -> None:
    assert exit_code_of(error) == code
