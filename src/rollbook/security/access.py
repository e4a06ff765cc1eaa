"""Access: what the roles of a caller let it see and change, put together and ready to be asked.

Theory: each rule becomes a grant: verbs, a compiled filter, a mask of what is shown and a mask of what may be written.
Grants add up. What a caller sees of a document is the union of the masks of the reading grants whose filter matches it;
no such grant, and the document is not there for the caller. What it may write is judged by the effect: the document
before and after, never the request.

One rule: filters of rules see whole documents; callers' filters see masked ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

from msgspec import Struct

from rollbook.documents.editing import identical
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.filters import Filter, Predicate, compile_filter, parse_filter
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.masks import HIDDEN, SHOWN, Mask, Visibility, hiding, showing
from rollbook.security.roles import ALWAYS_SHOWN, SECRET_PATHS, VERBS, Role, Rule, facts_in, paths_of, with_facts


class Grant(Struct, frozen=True):
    """A rule in force for one caller. ``holds`` is None when it is about every cluster."""

    verbs: frozenset[str]
    filter: Filter
    holds: Predicate | None
    mask: Mask
    writes: Mask

    def covers(self, document: Document) -> bool:
        """Whether it is about this cluster."""
        return self.holds is None or self.holds(document)


class Sight(Struct, frozen=True):
    """What a caller sees of the fleet, by one verb: the clusters that some grant covers, each through its mask."""

    grants: tuple[Grant, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it sees everything: then nothing has to be masked."""
        return any(grant.holds is None and grant.mask == SHOWN for grant in self.grants)

    def mask_of(self, document: Document) -> Mask | None:
        """What is shown of a document; None when it is not seen at all."""
        masks = [grant.mask for grant in self.grants if grant.covers(document)]
        return reduce(or_, masks) if masks else None

    def shown(self, document: Document) -> Document | None:
        """The document as the caller sees it; None when it does not see it. The very same object when all is shown."""
        mask = self.mask_of(document)
        return None if mask is None else mask.masked(document)

    def visibility(self, path: Path) -> Visibility:
        """How much of a path is shown in every document that is seen."""
        found = {grant.mask.visibility(path) for grant in self.grants} or {Visibility.NOTHING}
        return found.pop() if len(found) == 1 else Visibility.PART


class Access(Struct, frozen=True):
    """All that one caller may."""

    grants: tuple[Grant, ...]

    def may(self, verb: str) -> bool:
        """Whether some grant allows the verb, on any cluster at all."""
        return any(verb in grant.verbs for grant in self.grants)

    def sight(self, verb: str = "read") -> Sight:
        """What the caller sees by a verb of reading."""
        return Sight(tuple(grant for grant in self.grants if verb in grant.verbs))

    def forbidden_in(self, verb: str, before: Document | None, after: Document | None) -> "Sequence[str] | None":
        """Which paths of a change the caller may not write; None when it may not use the verb on this cluster.

        ``before`` None: the cluster is created; ``after`` None: it is deleted. Both must be covered by one grant.
        """
        ends = [document for document in (before, after) if document is not None]
        grants = [grant for grant in self.grants if verb in grant.verbs and all(map(grant.covers, ends))]
        if not grants:
            return None
        if before is None or after is None:
            return ()
        return list(_unwritable(reduce(or_, (grant.writes for grant in grants)), before, after, ()))


FULL_ACCESS = Access((Grant(VERBS, EVERYTHING, None, SHOWN, SHOWN),))
"""Everything. Compare with ``is``: the usual case costs nothing."""
EVERY_RULE = Rule(VERBS)
"""The rule that allows everything."""


def allow_alike(one: Access, other: Access) -> bool:
    """Whether two allow the same by the same rules. Compiled filters are not looked at: their sources are."""
    if one is other:
        return True
    sources = [[(each.verbs, each.filter, each.mask, each.writes) for each in access.grants] for access in (one, other)]
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
    return Grant(rule.verbs, filter, compile_filter(filter) if rule.filter else None, mask, writes)


def _one(name: str) -> Path:
    return (name,)


def _unwritable(writes: Mask, before: Maybe, after: Maybe, path: Path) -> Iterable[str]:
    """The paths at which the two differ and ``writes`` does not show what differs."""
    if before is after or writes == SHOWN or identical(before, after):
        return
    if writes == HIDDEN:
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
