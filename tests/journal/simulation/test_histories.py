"""No history with faults breaks a promise; without a rule of the protocol, some do. ``ROLLBOOK_SEEDS``: how many.

| without the rule | what breaks |
|---|---|
| a new connection writes first (register) | refusals that were never right; acknowledged writes lost |
| an entry locks its predecessor (predecessor) | writes lost, gaps |
| the same token until it is known (same-token) | refused writes that are done, writes done twice |
| what is too slow is never cancelled (no-cancel) | acknowledged writes lost |
| refusals are confirmed (confirm) | refusals that were never right |

That an entry names its predecessor is not tried here: what was read is safe, which the first rule covers.
"""

import os

import pytest

from tests.journal.simulation.histories import RULES, broken_promises

SEEDS = int(os.environ.get("ROLLBOOK_SEEDS", "2000"))


def test_no_history_breaks_a_promise() -> None:
    broken = {seed: dict(found) for seed in range(SEEDS) if (found := broken_promises(seed))}
    assert broken == {}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_that_is_missing_is_found_out(rule: str) -> None:
    assert any(broken_promises(seed, RULES - {rule}) for seed in range(1000))
