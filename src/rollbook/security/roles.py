"""Roles: named lists of rules, each of which allows verbs on some clusters.

A role is JSON: ``{"description", "rules": [{"verbs", "filter", "hide" | "only", "write", "logged"}]}``. Rules only
allow; what no rule of a caller's roles allows is denied. ``{"$caller": "owner"}`` in a filter stands for a fact of the
caller, and ``"$secrets"`` in a list of paths for the secret paths of the registry.

One rule: a role is refused as a whole when it is set, so that what is stored can be put into force.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.paths import Path, dotted, parse_path
from rollbook.documents.values import Document, Value
from rollbook.errors import RequestRefused, below
from rollbook.language.filters import parse_filter
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.security.limits import REQUESTS_MAX, WATCHES_MAX, CallerLimits
from rollbook.security.members import integer_in, number_in
from rollbook.setting_values import ROLE as ROLE_NAME

ClusterVerb: TypeAlias = Literal[
    "read", "watch", "history", "create", "update", "delete", "restore", "protect", "nodes", "heartbeat"
]
RegistryVerb: TypeAlias = Literal["webhooks", "tokens", "roles", "backup", "metrics", "explain", "audit", "debug"]
Verb: TypeAlias = ClusterVerb | RegistryVerb

CLUSTER_VERBS: frozenset[str] = frozenset(get_args(ClusterVerb))
REGISTRY_VERBS: frozenset[str] = frozenset(get_args(RegistryVerb))
VERBS = CLUSTER_VERBS | REGISTRY_VERBS

CALLER, SECRETS = "$caller", "$secrets"
CLUSTERS = "clusters"
"""The fact that is a list: the ids of the clusters that a caller is bound to."""

RULES_MAX, PATHS_MAX = 64, 256

SECRET_PATHS: tuple[Path, ...] = (
    ("config", "joinCommand"),
    ("config", "certHash"),
    ("clusterMetadata", "additionalInfo", "joinCommand"),
    ("clusterMetadata", "miscContactInfo"),
    ("clusterMetadata", "email"),
)
"""What is secret unless the registry's settings say otherwise."""

ALWAYS_SHOWN = ("id",)


class Rule(Struct, frozen=True):
    """One permission: these verbs, on the clusters that ``filter`` matches.

    ``hide`` and ``only`` are the paths that are hidden, or that alone are shown; one of them is None. ``write`` are the
    paths that may be changed; None: all. ``SECRETS`` may stand among the paths. ``logged``: the audit log has what it
    shows that no other rule of the caller does.
    """

    verbs: frozenset[str]
    filter: Document = {}
    hide: tuple[str, ...] | None = ()
    only: tuple[str, ...] | None = None
    write: tuple[str, ...] | None = None
    logged: bool = False

    def as_json(self) -> Document:
        """The rule as it is written in a request."""
        json: Document = {"verbs": [*sorted(self.verbs)]}
        if self.filter:
            json["filter"] = self.filter
        for name, paths in (("hide", self.hide or None), ("only", self.only), ("write", self.write)):
            if paths is not None:
                json[name] = list(paths)
        return {**json, "logged": True} if self.logged else json


class Role(Struct, frozen=True):
    """A named list of rules. Roles that are ``built_in`` or ``in_file`` can be copied under another name, not changed.

    ``limits`` are those of callers who have it; ``in_file``: it stands in the security file.
    """

    name: str
    rules: tuple[Rule, ...]
    description: str = ""
    built_in: bool = False
    in_file: bool = False
    limits: CallerLimits = CallerLimits()

    def as_json(self) -> Document:
        """The role as the API answers it."""
        json: Document = {"name": self.name, "description": self.description, "builtIn": self.built_in}
        json |= {"inFile": True} if self.in_file else {}
        json["rules"] = [rule.as_json() for rule in self.rules]
        return json if self.limits == CallerLimits() else {**json, "limits": self.limits.as_json()}


def parse_role(name: str, body: Value, *, limits: Limits = DEFAULT_LIMITS) -> Role:
    """The role that a request's body describes. Refuses (RequestRefused) with the place of the first problem."""
    if not ROLE_NAME.fullmatch(name):
        raise RequestRefused(f"{name!r} is no name of a role: use up to 64 letters a-z, digits and hyphens")
    if name in BUILT_IN:
        raise RequestRefused(f"the role {name!r} is built in and can't be changed: put a copy under another name")
    members = _members(body, {"description", "rules", "name", "builtIn", "inFile", "limits"}, at="")
    description = members.get("description", "")
    if not isinstance(description, str) or len(description) > 500:
        raise RequestRefused("'description' must be a string of at most 500 characters", at="/description")
    rules = members.get("rules")
    if not isinstance(rules, list) or not 1 <= len(rules) <= RULES_MAX:
        raise RequestRefused(f"'rules' must be an array of 1 to {RULES_MAX} rules", at="/rules")
    parsed = (_parse_rule(rule, at=below("/rules", place), limits=limits) for place, rule in enumerate(rules))
    return Role(name, tuple(parsed), description, limits=_parse_limits(members.get("limits", {})))


def _parse_limits(value: Value) -> CallerLimits:
    members = _members(value, {"requestsPerSecond", "watchesMax"}, at="/limits")
    return CallerLimits(
        number_in(members, "requestsPerSecond", least=0.01, most=REQUESTS_MAX, at="/limits"),
        integer_in(members, "watchesMax", most=WATCHES_MAX, at="/limits"),
    )


def _parse_rule(rule: Value, *, at: str, limits: Limits) -> Rule:
    members = _members(rule, {"verbs", "filter", "hide", "only", "write", "logged"}, at=at)
    verbs = _verbs(members.get("verbs"), at=below(at, "verbs"))
    filter = members.get("filter", {})
    if not isinstance(filter, dict):
        raise RequestRefused("'filter' must be an object, a filter of clusters", at=below(at, "filter"))
    check_rule_filter(filter, at=below(at, "filter"), limits=limits)
    if "hide" in members and "only" in members:
        raise RequestRefused("'hide' and 'only' exclude each other", at=below(at, "only"))
    lists = {name: _paths(members[name], at=below(at, name)) for name in ("hide", "only", "write") if name in members}
    only, logged = lists.get("only"), members.get("logged", False)
    if not isinstance(logged, bool):
        raise RequestRefused("'logged' must be true or false", at=below(at, "logged"))
    return Rule(verbs, filter, None if only is not None else lists.get("hide", ()), only, lists.get("write"), logged)


def check_rule_filter(filter: Document, *, at: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuses a filter that is none, or that asks about what is not in the document itself."""
    if REGISTRY_FIELD in str(filter):
        raise RequestRefused(f"a rule can't ask about {REGISTRY_FIELD}, which is not part of the document", at=at)
    placeholders: dict[str, Value] = {name: [] if name == CLUSTERS else "" for name in facts_in(filter)}
    parse_filter(with_facts(filter, placeholders), at=at, limits=limits)


def with_facts(json: Value, facts: Mapping[str, Value]) -> Value:
    """The JSON with the caller's facts in place of ``{"$caller": name}``; null for a fact that there is not."""
    match json:
        case {"$caller": str(name), **rest} if not rest:
            return facts.get(name)
        case dict():
            return {name: with_facts(member, facts) for name, member in json.items()}
        case list():
            return [with_facts(element, facts) for element in json]
    return json


def facts_in(json: Value) -> set[str]:
    """The names of the caller's facts that the JSON asks for."""
    match json:
        case {"$caller": str(name), **rest} if not rest:
            return {name}
        case dict():
            return set().union(*map(facts_in, json.values()))
        case list():
            return set().union(*map(facts_in, json))
    return set()


def paths_of(names: Collection[str], secrets: Sequence[Path]) -> tuple[Path, ...]:
    """The paths that a list of a rule names, the registry's secret ones in place of ``SECRETS``."""
    return tuple(path for name in names for path in (secrets if name == SECRETS else (parse_path(name),)))


def _members(value: Value, known: Collection[str], *, at: str) -> Document:
    if not isinstance(value, dict):
        raise RequestRefused("this must be an object", at=at)
    for name in value:
        if name not in known:
            raise RequestRefused(f"{name!r} is not known here, only {', '.join(sorted(known))}", at=below(at, name))
    return value


def _verbs(value: Value, *, at: str) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise RequestRefused("'verbs' must be an array of at least one verb", at=at)
    for place, verb in enumerate(value):
        if verb not in VERBS:
            raise RequestRefused(f"{verb!r} is no verb; it can be {', '.join(sorted(VERBS))}", at=below(at, place))
    return frozenset(map(str, value))


def _paths(value: Value, *, at: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > PATHS_MAX:
        raise RequestRefused(f"this must be an array of at most {PATHS_MAX} dotted paths", at=at)
    for place, path in enumerate(value):
        if not isinstance(path, str) or not (path == SECRETS or is_path(path)):
            problem = f"{path!r} is no dotted path of member names, nor {SECRETS!r}"
            raise RequestRefused(problem, at=below(at, place))
        if parse_path(path)[0] in ALWAYS_SHOWN and at.endswith("/hide"):
            raise RequestRefused("the id of a cluster can't be hidden", at=below(at, place))
    return tuple(map(str, value))


def is_path(path: str) -> bool:
    """Whether a text is a dotted path of members' names."""
    return all(name and not name.startswith("$") and not name.isdigit() for name in parse_path(path))


_CONTROLLED = [
    "status",
    "nodes",
    "gpus",
    "vcpus",
    "memory",
    "swap",
    "storage",
    "network",
    "config.urlMap",
    "config.certHash",
]
_OWN_CLUSTERS: Document = {"id": {"$in": {CALLER: CLUSTERS}}}
_OWNED: Document = {"clusterMetadata.owner": {"$eq": {CALLER: "owner"}}}
_METADATA = ["name", "description", "email", "countries", "miscContactInfo", "additionalInfo"]
_READING = frozenset({"read", "watch", "history"})
_LEGACY = frozenset({"read", "create", "update", "delete", "nodes", "heartbeat", "explain"})

BUILT_IN: Mapping[str, Role] = {
    role.name: role
    for role in (
        Role("reader", (Rule(_READING | {"explain"}, hide=(SECRETS,)),), "Reads everything but secrets.", True),
        Role("legacy", (Rule(_LEGACY),), "What clients of the original registry do.", True),
        Role("legacy-masked", (Rule(_LEGACY, hide=(SECRETS,)),), "As legacy, without secrets.", True),
        Role(
            "controller",
            (
                Rule(_READING, hide=(SECRETS,)),
                Rule(_READING, _OWN_CLUSTERS),
                Rule(frozenset({"update", "nodes", "heartbeat"}), _OWN_CLUSTERS, write=tuple(_CONTROLLED)),
            ),
            "Keeps the nodes and the status of its own clusters, and reads the others without secrets.",
            True,
        ),
        Role(
            "owner",
            (
                Rule(_READING, hide=(SECRETS,)),
                Rule(_READING, _OWNED),
                Rule(
                    frozenset({"update"}),
                    _OWNED,
                    write=("tags", *(dotted(("clusterMetadata", name)) for name in _METADATA)),
                ),
            ),
            "Edits the metadata and tags of the clusters it owns, and reads the others without secrets.",
            True,
        ),
        Role("operator", (Rule(CLUSTER_VERBS | {"webhooks", "metrics", "explain"}),), "Does all on clusters.", True),
        Role(
            "auditor",
            (Rule(frozenset({"read", "history", "audit"}), hide=(SECRETS,)),),
            "Reads clusters without secrets, history, the audit log, and which tokens and roles there are.",
            True,
        ),
        Role("admin", (Rule(VERBS),), "Does everything.", True),
    )
}
