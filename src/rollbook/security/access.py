"""Access: what the roles of a caller let it see and change, put together and ready to be asked.

Theory: each rule becomes a grant: verbs, a compiled filter, a mask of what is shown and a mask of what may be written.
Grants add up. What a caller sees of a document is the union of the masks of the reading grants whose filter matches it;
no such grant, and the document is not there for the caller. What it may write is judged by the effect: the document
before and after, never the request.

One rule: permission is judged by what a change does to what the caller sees, never by what it does to what is hidden.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_

from msgspec import Struct

from rollbook.documents.editing import identical
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.masks import HIDDEN, SHOWN, Mask, hiding, showing
from rollbook.security.roles import ALWAYS_SHOWN, SECRET_PATHS, VERBS, Role, Rule, facts_in, paths_of, with_facts
from rollbook.security.sights import WHOLE, Grant, Sight, sight_of


class Access(Struct, frozen=True, dict=True):
    """All that one caller may."""

    grants: tuple[Grant, ...]

    @cached_property
    def reads(self) -> Sight:
        """What the caller sees by reading. Compare with ``WHOLE``."""
        return sight_of([grant for grant in self.grants if "read" in grant.verbs])

    def may(self, verb: str) -> bool:
        """Whether some grant allows the verb, on any cluster at all."""
        return verb in self._verbs

    def sight(self, verb: str = "read") -> Sight:
        """What the caller sees by a verb of reading."""
        return self.reads if verb == "read" else sight_of([grant for grant in self.grants if verb in grant.verbs])

    def sights(self, *verbs: str) -> Sight:
        """What the caller sees by any of the verbs."""
        return sight_of([grant for grant in self.grants if not grant.verbs.isdisjoint(verbs)])

    @cached_property
    def unlogged(self) -> "Access":
        """What the rules allow that are not logged."""
        grants = tuple(grant for grant in self.grants if not grant.logged)
        return self if len(grants) == len(self.grants) else Access(grants)

    @cached_property
    def logged(self) -> frozenset[str]:
        """The verbs by which logged rules show what no other rule does; also verbs of writing, for their answers."""
        if self.unlogged is self:
            return frozenset()
        return frozenset(verb for verb in self._verbs if self.sight(verb) is not self.unlogged.sight(verb))

    def is_unbounded(self, verb: str) -> bool:
        """Whether the caller sees everything, and may use the verb on every cluster and at every path."""
        return self is FULL_ACCESS or verb in self._unbounded

    def covers(self, verb: str, *documents: Document) -> bool:
        """Whether one grant of the verb is about these documents, each a version of the same cluster."""
        return any(verb in grant.verbs and all(map(grant.covers, documents)) for grant in self.grants)

    def mask_for(self, verb: str, document: Document) -> Mask | None:
        """What the caller sees of a document that it changes: what it reads, else what the rule of the verb shows.

        None when it does not see it at all.
        """
        return self.reads.mask_of(document) or self.sight(verb).mask_of(document)

    def unwritable(self, verb: str, whole: Document, before: Document, after: Document) -> Sequence[str]:
        """At which paths ``before`` and ``after`` differ though the caller may not write there.

        Both are as the caller sees them; ``whole`` is the document that the filters of rules are asked about.
        """
        writes = [grant.writes for grant in self.grants if verb in grant.verbs and grant.covers(whole)]
        return list(_unwritable(reduce(or_, writes, HIDDEN), before, after, ()))

    @cached_property
    def _verbs(self) -> frozenset[str]:
        return frozenset[str]().union(*(grant.verbs for grant in self.grants))

    @cached_property
    def _unbounded(self) -> frozenset[str]:
        if self.reads is not WHOLE:
            return frozenset()
        free = (grant for grant in self.grants if grant.holds is None and grant.writes == grant.mask == SHOWN)
        return frozenset().union(*(grant.verbs for grant in free))


FULL_ACCESS = Access((Grant(VERBS, EVERYTHING, None, SHOWN, SHOWN),))
"""Everything. Compare with ``is``: the usual case costs nothing."""
EVERY_RULE = Rule(VERBS)
"""The rule that allows everything."""


def allow_alike(one: Access, other: Access) -> bool:
    """Whether two allow the same by the same rules. Compiled filters are not looked at: their sources are."""
    if one is other:
        return True
    sources = [
        [(each.verbs, each.filter, each.mask, each.writes, each.logged) for each in access.grants]
        for access in (one, other)
    ]
    return sources[0] == sources[1]


def access_of(roles: Iterable[Role], facts: Mapping[str, Value], *, secrets: Sequence[Path] = SECRET_PATHS) -> Access:
    """What these roles allow a caller with these facts. A rule that asks for a fact which the caller lacks is void."""
    rules = [rule for role in roles for rule in role.rules if facts_in(rule.filter) <= facts.keys()]
    if EVERY_RULE in rules:
        return FULL_ACCESS
    return Access(tuple(_granted(rule, facts, secrets) for rule in rules))


def _granted(rule: Rule, facts: Mapping[str, Value], secrets: Sequence[Path]) -> Grant:
    filter = parse_filter(with_facts(rule.filter, facts), at="/filter") if rule.filter else EVERYTHING
    if rule.only is not None:
        mask = showing([*map(_one, ALWAYS_SHOWN), *paths_of(rule.only, secrets)])
    else:
        mask = hiding(paths_of(rule.hide or (), secrets))
    writes = SHOWN if rule.write is None else showing(paths_of(rule.write, secrets))
    return Grant(rule.verbs, filter, compile_filter(filter) if rule.filter else None, mask, writes, rule.logged)


def _one(name: str) -> Path:
    return (name,)


def _unwritable(writes: Mask, before: Maybe, after: Maybe, path: Path) -> Iterable[str]:
    """The paths at which the two differ and ``writes`` does not show what differs."""
    if before is after or writes == SHOWN or identical(before, after):
        return
    if writes == HIDDEN and not (isinstance(before, dict) and isinstance(after, dict)):
        yield dotted(path)
    elif isinstance(before, dict | type(MISSING)) and isinstance(after, dict | type(MISSING)):
        was, then = _members(before), _members(after)
        for name in dict.fromkeys([*was, *then]):
            yield from _unwritable(writes.child(name), was.get(name, MISSING), then.get(name, MISSING), (*path, name))
        if was.keys() == then.keys() and list(was) != list(then):
            yield dotted(path)
    else:
        yield dotted(path)


def _members(value: Maybe) -> Mapping[str, Maybe]:
    return value if isinstance(value, dict) else {}
