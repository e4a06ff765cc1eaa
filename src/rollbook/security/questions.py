"""Questions: whether a caller may do something, and why or why not, without doing it.

One rule: the answer is found by the same access that is enforced.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

from msgspec import Struct

from rollbook.documents.paths import Path, dotted, parse_path
from rollbook.documents.values import Document, Value
from rollbook.errors import RequestRefused, below
from rollbook.security.access import FULL_ACCESS, Access, access_of
from rollbook.security.masks import HIDDEN, SHOWN, Visibility, turns_of
from rollbook.security.roles import (
    ALWAYS_SHOWN,
    CLUSTER_VERBS,
    SECRET_PATHS,
    SECRETS,
    VERBS,
    Role,
    Rule,
    facts_in,
    with_facts,
)

PATHS_MAX = 256


class Subject(Struct, frozen=True):
    """Whom a question is about, instead of its caller: a token by its id, or roles with bindings."""

    token: str | None = None
    roles: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    owner: str | None = None


class Question(Struct, frozen=True):
    """May ``verb`` be done: at all, to the cluster ``id``, at these paths of it?"""

    verb: str
    id: str | None = None
    paths: tuple[str, ...] = ()
    subject: Subject | None = None


class Judgement(Struct, frozen=True):
    """The answer to a question: ``reason`` is a sentence, ``roles`` are those that allow it by themselves."""

    allowed: bool
    reason: str
    roles: tuple[str, ...] = ()


def parse_question(body: Value) -> Question:
    """The question that a body asks. Refuses (RequestRefused) with the place of the first problem."""
    members = _members(body, {"verb", "id", "paths", "as"}, at="")
    verb, id = members.get("verb"), members.get("id")
    if not isinstance(verb, str) or verb not in VERBS:
        raise RequestRefused(f"'verb' must be one of {', '.join(sorted(VERBS))}", at="/verb")
    if id is not None and (not isinstance(id, str) or verb not in CLUSTER_VERBS):
        raise RequestRefused("'id' must be the id of a cluster, and the verb one on clusters", at="/id")
    paths = _texts(members, "paths", at="/paths")
    if paths and id is None:
        raise RequestRefused("'paths' are those of a cluster: send its 'id' too", at="/paths")
    return Question(verb, id, paths, _subject(members["as"]) if members.get("as") is not None else None)


def judged(
    access: Access,
    roles: Iterable[Role],
    facts: Mapping[str, Value],
    question: Question,
    document: Document | None,
    *,
    secrets: Sequence[Path] = SECRET_PATHS,
) -> Judgement:
    """Whether an access, which comes from these roles and facts, allows what is asked about a document."""
    alone = ((role.name, access_of([role], facts, secrets=secrets)) for role in roles)
    allowing = [name for name, allowed in alone if _problem(allowed, question, document) is None]
    problem = _problem(access, question, document)
    if problem is not None:
        return Judgement(False, problem)
    if allowing:
        return Judgement(True, f"the role {' or '.join(map(repr, allowing))} allows it", tuple(allowing))
    return Judgement(True, "the caller may do everything" if access is FULL_ACCESS else "its roles together allow it")


def rules_as_json(
    roles: Iterable[Role], facts: Mapping[str, Value], secrets: Sequence[Path] = SECRET_PATHS
) -> list[Value]:
    """The rules of a caller's roles, with its facts and the secret paths put in; ``void``: why one allows nothing."""
    return [_rule_as_json(role.name, rule, facts, secrets) for role in roles for rule in role.rules]


def rights_as_json(access: Access, document: Document) -> Document:
    """What a caller may with a cluster, whose whole document is given: ``verbs``, what it does not see of it (``hide``,
    or ``only`` what it sees), and the paths that it may ``write`` by an update (null: all).
    """
    verbs = sorted(verb for verb in CLUSTER_VERBS if access.covers(verb, document))
    rights: Document = {"verbs": [*verbs]}
    mask = access.reads.mask_of(document) or HIDDEN
    turns = [*turns_of(mask, is_shown=True)]
    hidden, shown = (sorted(dotted(path) for path, is_on in turns if path and is_on is it) for it in (False, True))
    if not mask.shown:
        rights["only"] = [*ALWAYS_SHOWN, *(path for path in shown if path not in ALWAYS_SHOWN)]
    if hidden:
        rights["hide"] = [*hidden]
    if "update" in verbs:
        grants = (grant for grant in access.grants if "update" in grant.verbs and grant.covers(document))
        writes = reduce(or_, (grant.writes for grant in grants), HIDDEN)
        paths: list[Value] = [*sorted(dotted(path) for path, shown in turns_of(writes, is_shown=False) if shown)]
        rights["write"] = None if writes == SHOWN else paths
    return rights


def _rule_as_json(role: str, rule: Rule, facts: Mapping[str, Value], secrets: Sequence[Path]) -> Document:
    json: Document = {"role": role, **rule.as_json()}
    missing = facts_in(rule.filter) - facts.keys()
    if missing:
        return {**json, "void": f"the caller is bound to no {' and no '.join(sorted(missing))}"}
    json |= {"filter": with_facts(rule.filter, facts)} if rule.filter else {}
    for name in json.keys() & {"hide", "only", "write"}:
        paths = json[name]
        assert isinstance(paths, list)
        json[name] = [text for each in paths for text in (map(dotted, secrets) if each == SECRETS else [str(each)])]
    return json


def _problem(access: Access, question: Question, document: Document | None) -> str | None:
    """Why an access does not allow what is asked; None when it does."""
    if not access.may(question.verb):
        return f"no role has the verb {question.verb!r}"
    if document is None:
        return None
    grants = [grant for grant in access.grants if question.verb in grant.verbs and grant.covers(document)]
    if not grants:
        return f"roles have the verb {question.verb!r}, but no rule's filter matches this cluster"
    is_reading = question.verb in ("read", "watch", "history")
    mask = reduce(or_, (grant.mask if is_reading else grant.writes for grant in grants), HIDDEN)
    lacking = [path for path in question.paths if mask.visibility(parse_path(path)) is not Visibility.ALL]
    return f"{'hidden' if is_reading else 'not to be written'}: {', '.join(lacking)}" if lacking else None


def _subject(value: Value) -> Subject:
    members = _members(value, {"token", "roles", "clusters", "owner"}, at="/as")
    token, owner = members.get("token"), members.get("owner")
    if (token is None) == ("roles" not in members):
        raise RequestRefused("'as' names a token by its id, or roles", at="/as")
    for name, text in (("token", token), ("owner", owner)):
        if text is not None and not isinstance(text, str):
            raise RequestRefused(f"'{name}' must be a string", at=f"/as/{name}")
    roles, clusters = (_texts(members, name, at=f"/as/{name}") for name in ("roles", "clusters"))
    return Subject(
        str(token) if token is not None else None, roles, clusters, str(owner) if owner is not None else None
    )


def _members(value: Value, known: set[str], *, at: str) -> Document:
    if not isinstance(value, dict):
        raise RequestRefused("this must be an object", at=at)
    for name in value:
        if name not in known:
            raise RequestRefused(f"{name!r} is not known here, only {', '.join(sorted(known))}", at=below(at, name))
    return value


def _texts(members: Document, name: str, *, at: str) -> tuple[str, ...]:
    texts = members.get(name, [])
    if not isinstance(texts, list) or len(texts) > PATHS_MAX or not all(isinstance(text, str) for text in texts):
        raise RequestRefused(f"'{name}' must be an array of at most {PATHS_MAX} strings", at=at)
    return tuple(map(str, texts))
