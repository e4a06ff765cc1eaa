"""Roles as they are written, and what they let a caller see and change."""

import pytest

from rollbook.errors import RequestRefused
from rollbook.security.access import Access, access_of
from rollbook.security.masks import Visibility
from rollbook.security.roles import BUILT_IN, VERBS, Role, parse_role

WEST = {
    "id": "west",
    "status": "live",
    "config": {"publicHostname": "west.net", "joinCommand": "kubeadm join", "certHash": "sha256:1"},
    "clusterMetadata": {"name": "West", "owner": "ml", "email": "ml@west.net"},
    "tags": [],
}
EAST = {**WEST, "id": "east", "clusterMetadata": {"name": "East", "owner": "ops"}}


def access(*names: str, **facts) -> Access:
    return access_of([BUILT_IN[name] for name in names], facts)


def forbidden_in(access: Access, verb: str, before: dict, after: dict | None) -> list[str] | None:
    """At which paths a change may not be made; None when the verb may not be used on this cluster."""
    ends = [before] if after is None else [before, after]
    if not access.covers(verb, *ends):
        return None
    return [] if after is None else [*access.unwritable(verb, before, before, after)]


def changed(document: dict, **members) -> dict:
    return {**document, **members}


def test_a_reader_sees_everything_but_secrets():
    shown = access("reader").sight().shown(WEST)
    assert shown["config"] == {"publicHostname": "west.net"}
    assert shown["clusterMetadata"] == {"name": "West", "owner": "ml"}


def test_a_controller_sees_the_secrets_of_its_own_clusters_alone():
    sight = access("controller", clusters=["west"]).sight()
    assert sight.shown(WEST) is WEST
    assert "joinCommand" not in sight.shown(EAST)["config"]
    assert sight.visibility(("config", "joinCommand")) is Visibility.PART
    assert not sight.is_whole


def test_a_rule_that_asks_for_a_missing_fact_is_void():
    without = access("controller")
    assert "joinCommand" not in without.sight().shown(WEST)["config"]
    assert forbidden_in(without, "nodes", WEST, WEST) is None


def test_roles_add_up():
    both = access("reader", "operator")
    assert both.sight().is_whole
    assert both.sight().shown(WEST) is WEST


def test_who_has_no_role_sees_nothing():
    assert access().sight().shown(WEST) is None
    assert not access().may("read")


def test_an_owner_changes_metadata_but_not_the_owner():
    owner = access("owner", owner="ml")
    renamed = changed(WEST, clusterMetadata={**WEST["clusterMetadata"], "name": "Far west"})
    handed_over = changed(WEST, clusterMetadata={**WEST["clusterMetadata"], "owner": "ops"})
    assert forbidden_in(owner, "update", WEST, renamed) == []
    assert forbidden_in(owner, "update", WEST, handed_over) is None
    assert forbidden_in(owner, "update", WEST, changed(WEST, status="down", tags=["x"])) == ["status"]
    assert forbidden_in(owner, "update", EAST, changed(EAST, tags=["x"])) is None


def test_a_controller_writes_below_the_paths_that_it_may_write():
    controller = access("controller", clusters=["west"])
    cert = changed(WEST, config={**WEST["config"], "certHash": "sha256:2"})
    moved = changed(WEST, config={**WEST["config"], "publicHostname": "evil.net"})
    assert forbidden_in(controller, "update", WEST, cert) == []
    assert forbidden_in(controller, "update", WEST, moved) == ["config.publicHostname"]
    assert forbidden_in(controller, "delete", WEST, None) is None


def test_the_admin_may_use_every_verb():
    assert all(access("admin").may(verb) for verb in VERBS)
    assert forbidden_in(access("operator"), "delete", WEST, None) == []


def test_a_role_is_written_as_it_is_read():
    body = {
        "description": "Sees Europe.",
        "rules": [
            {
                "verbs": ["read", "watch"],
                "filter": {"regionId": {"$in": ["eu-west", "eu-north"]}, "id": {"$in": {"$caller": "clusters"}}},
                "hide": ["$secrets", "config.policyExecutorId"],
                "write": ["tags"],
            },
            {"verbs": ["explain"], "only": ["status"]},
        ],
    }
    role = parse_role("europe", body)
    assert role.as_json() == {"name": "europe", "builtIn": False, **body}
    assert parse_role("europe", role.as_json()) == role


@pytest.mark.parametrize("role", BUILT_IN.values(), ids=lambda role: role.name)
def test_a_built_in_role_can_be_copied(role: Role):
    copy = parse_role("copy", role.as_json())
    assert copy.rules == role.rules


@pytest.mark.parametrize(
    ("at", "body"),
    [
        ("", []),
        ("/rules", {}),
        ("/rules", {"rules": []}),
        ("/verb", {"rules": [{"verbs": ["read"]}], "verb": 1}),
        ("/rules/0/verbs", {"rules": [{}]}),
        ("/rules/0/verbs/1", {"rules": [{"verbs": ["read", "fly"]}]}),
        ("/rules/0/filter", {"rules": [{"verbs": ["read"], "filter": []}]}),
        ("/rules/0/filter", {"rules": [{"verbs": ["read"], "filter": {"_registry.revision": 1}}]}),
        ("/rules/0/only", {"rules": [{"verbs": ["read"], "hide": [], "only": []}]}),
        ("/rules/0/hide/0", {"rules": [{"verbs": ["read"], "hide": ["id"]}]}),
        ("/rules/0/hide/0", {"rules": [{"verbs": ["read"], "hide": ["nodes.0.id"]}]}),
        ("/rules/0/write/0", {"rules": [{"verbs": ["read"], "write": ["$owner"]}]}),
        ("/description", {"rules": [{"verbs": ["read"]}], "description": 5}),
    ],
)
def test_a_refused_role_says_where(at, body):
    with pytest.raises(RequestRefused) as refused:
        parse_role("mine", body)
    assert refused.value.at == at


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a" * 65, "admin"])
def test_a_name_that_is_none_or_built_in_is_refused(name):
    with pytest.raises(RequestRefused):
        parse_role(name, {"rules": [{"verbs": ["read"]}]})
