"""Which texts can be the id of a cluster."""

import pytest

from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.clusters.ids import RESERVED_IDS, kubernetes_warning, problem_with_id
from tests.examples import cluster


@pytest.mark.parametrize("id", ["a", "7", "A.b_c-d", "west-1", "x" * 253, "queries", "Query", "a."])
def test_ids_that_clients_can_address(id: str) -> None:
    assert problem_with_id(id) is None


@pytest.mark.parametrize(
    "id", ["", "x" * 254, ".a", "-a", "_a", "a b", "a/b", "a?b", "a#b", "é", "a\n", "a%20b", *sorted(RESERVED_IDS)]
)
def test_ids_that_they_can_not(id: str) -> None:
    assert problem_with_id(id) is not None


@pytest.mark.parametrize("id", ["a", "west-1", "x" * 48])
def test_ids_that_kubernetes_names_can_be_derived_from(id: str) -> None:
    assert kubernetes_warning(id) is None


@pytest.mark.parametrize(
    ("id", "reason"), [("x" * 49, "49 characters"), ("West", "DNS"), ("1west", "DNS"), ("a.b", "DNS"), ("a-", "DNS")]
)
def test_other_ids_get_a_warning_at_creation(id: str, reason: str) -> None:
    warning, *others = accept_new(cluster(id), rules=SchemaRules()).warnings
    assert reason in warning
    assert others == []
