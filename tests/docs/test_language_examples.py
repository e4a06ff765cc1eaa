"""What the reference of the language shows is what the language gives."""

import json
from typing import Any

import pytest

from rollbook.documents.values import MISSING
from rollbook.language.foreign import PLACES
from tests.docs.language_examples.rows import Example
from tests.docs.language_reference import all_examples, all_rows

EXAMPLES = [example for examples in all_examples().values() for example in examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.shown())
def test_an_example_gives_what_it_shows(example: Example) -> None:
    assert as_json(example.given()) == as_json(example.expected())


@pytest.mark.parametrize(("language", "table", "families"), all_rows())
def test_every_operator_stands_in_one_family_of_the_reference_or_is_refused(language, table, families) -> None:
    shown = [name for family in families.values() for name in family]
    refused = PLACES.get(language, {})
    assert sorted([*shown, *refused]) == sorted({*table, *refused})
    assert not {*shown} & {*refused}


@pytest.mark.parametrize(("language", "table", "families"), all_rows())
def test_every_operator_of_the_reference_has_an_example(language, table, families) -> None:
    shown = {name for family in families.values() for name in family}
    assert shown - {example.operator for example in all_examples()[language]} == set()


def as_json(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value)
