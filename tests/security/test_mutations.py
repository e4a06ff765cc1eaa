"""The mutations of the sight are of rules that there are. ``make mutation-sight`` shows that each is noticed."""

import ast

import pytest

from tests.security.mutating import MUTATIONS, Mutation, mutated


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.module}: {mutation.kept.strip()}")
def test_a_mutation_breaks_one_rule_that_there_is(mutation: Mutation) -> None:
    ast.parse(mutated(mutation))
