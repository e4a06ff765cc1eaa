"""No history with faults breaks a promise; without a rule of the protocol, some do. ``ROLLBOOK_SEEDS``: how many."""

import os

import pytest

from tests.journal.simulation.histories import RULES, broken_promises

SEEDS = int(os.environ.get("ROLLBOOK_SEEDS", "2000"))


def test_no_history_breaks_a_promise() -> None:
    broken = {seed: dict(found) for seed in range(SEEDS) if (found := broken_promises(seed))}
    assert broken == {}


@pytest.mark.parametrize("rule", ["register", "predecessor", "same-token"])
def test_a_rule_that_is_missing_is_found_out(rule: str) -> None:
    assert any(broken_promises(seed, RULES - {rule}) for seed in range(1000))
