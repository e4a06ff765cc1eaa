"""Guarded commands: what a caller writes, within what its roles let it see and change.

Theory: the command meets the document as its caller sees it, as if nothing else were there, and what was hidden is put
back into what it makes. So operators, expressions, node edits and restorations need no rules of their own: whatever
they are, they read nothing that is hidden, and change nothing but what the effect shows.

One rule: permission is judged by what the caller sees, before and after. What is hidden decides nothing, so nobody
learns it from an answer; only the filters of rules look at whole documents.
"""

import logging
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.totals import MODEL_NAMES, TOTALS, following
from rollbook.documents.codec import encode_to_keep
from rollbook.documents.values import Document
from rollbook.errors import (
    ClusterExists,
    ClusterNotFound,
    DocumentInvalid,
    IdImmutable,
    PermissionDenied,
    RegistryError,
)
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.writing.commands import Command, Current, Decision, Update, encoded
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.security.access import FULL_ACCESS, Access
from rollbook.security.callers import Caller
from rollbook.security.grafting import grafted
from rollbook.security.masks import Mask, Visibility

PATHS_SHOWN_MAX = 5
CREATED_BY = {"update": "create"}
"""What a command needs that creates a cluster, where it needs another verb than to change one."""

logger = logging.getLogger(__name__)


class Wrapped(Struct, frozen=True):
    """A command around another one, on the same cluster and with the same verb."""

    command: Command

    @property
    def id(self) -> str:
        """The cluster that it is about."""
        return self.command.id

    @property
    def verb(self) -> str:
        """The verb that it takes."""
        return self.command.verb

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        """As the command in it."""
        return self.command.proposed(before, budget)


class Guarded(Wrapped, frozen=True):
    """A command as a caller with this access may carry it out."""

    access: Access
    limits: Limits

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        """As the command decides on what the caller sees. Refuses (PermissionDenied) what it may not do."""
        if current is None:
            return self._created(budget)
        before = decode_stored(current.body)
        mask = self.access.mask_for(self.verb, before)
        if mask is None:
            self.command.decide(None, budget)  # refuses, as where there is no cluster, unless it is to create one
            raise ClusterExists(f"a cluster with the id {self.id!r} exists already", at="/id")
        if not self.access.covers(self.verb, before):
            if self.verb == "create":
                self.command.decide(current, budget)  # refuses an id that is taken
            raise PermissionDenied(f"you may not use the verb {self.verb!r} on the cluster {self.id!r}")
        return self._decided(current, before, mask, budget)

    def _decided(self, current: Current, before: Document, mask: Mask, budget: RequestBudget) -> Decision:
        shown = mask.masked(before)
        met, command = current, self.command
        if shown is not before:
            met, command = replace(current, body=encode_to_keep(shown)), of_a_part(command)
        try:
            decision = command.decide(met, budget)
        except (DocumentInvalid, IdImmutable):  # permission is judged before validity
            self._check(before, shown, command.proposed(shown, budget))
            raise
        if decision.kind is None or decision.body is None or decision.body == met.body:
            body = None if decision.body is None else current.body
            return replace(decision, body=body, versions=None, shown=decision.body, shown_before=met.body)
        after = decision.versions[1] if decision.versions else decode_stored(decision.body)
        self._check(before, shown, after)
        if shown is before:
            self._check_coverage(before, after)
            return replace(decision, shown=self._shown(after, mask), shown_before=met.body)
        whole = grafted(mask, before, after)
        hidden_totals = [total for total in TOTALS if mask.visibility(total) is Visibility.NOTHING]
        whole = following(before, whole, frozenset({*TOTALS, MODEL_NAMES}.difference(hidden_totals)))
        self._check_coverage(before, whole)
        body = encoded(whole, limits=self.limits, before=before, body_before=current.body)
        shown_after = self._shown(whole, mask)
        return replace(decision, body=body, versions=(before, whole), shown=shown_after, shown_before=met.body)

    def _created(self, budget: RequestBudget) -> Decision:
        """The decision that there is a cluster, with what is hidden of the one that it brings back."""
        verb = CREATED_BY.get(self.verb, self.verb)
        try:
            decision = self.command.decide(None, budget)
        except DocumentInvalid:
            if not self.access.may(verb):
                raise PermissionDenied(f"you may not use the verb {verb!r}") from None
            raise
        if decision.body is None:
            return decision
        after = decode_stored(decision.body)
        if decision.restored is not None:
            last = decode_stored(decision.restored)
            mask = self.access.mask_for(self.verb, last)
            if mask is None:
                raise ClusterNotFound(f"no cluster has, or ever had, the id {self.id!r}")
            after = grafted(mask, last, after)
        if not self.access.covers(verb, after):
            raise PermissionDenied(f"you may not use the verb {verb!r} for such a cluster")
        body = decision.body if decision.restored is None else encoded(after, limits=self.limits, before=after)
        mask = self.access.mask_for(verb, after)
        assert mask is not None, "what is covered is seen"
        return replace(decision, body=body, shown=self._shown(after, mask))

    def _check(self, before: Document, shown: Document, after: Document) -> None:
        """Refuses (PermissionDenied) a change of what the caller sees at paths that it may not write."""
        forbidden = self.access.unwritable(self.verb, before, shown, after)
        if forbidden:
            raise PermissionDenied(f"you may not change {_listed(forbidden)} with the verb {self.verb!r}")

    def _check_coverage(self, before: Document, after: Document) -> None:
        if not self.access.covers(self.verb, before, after):
            raise PermissionDenied(
                f"after this change the cluster {self.id!r} would be none that you may use {self.verb!r} on"
            )

    def _shown(self, after: Document, mask: Mask) -> bytes:
        """What the caller is shown of the document after the change."""
        seen = self.access.reads.shown(after)
        return encode_to_keep(mask.masked(after) if seen is None else seen)


def of_a_part(command: Command) -> Command:
    """The command, for a document of which its caller sees a part."""
    if isinstance(command, Update | EditNodes):
        return replace(command, rules=replace(command.rules, of_a_part=True))
    return command


class Observed(Wrapped, frozen=True):
    """A command of a caller whom the registry only observes: it is carried out, and the log says what would be refused.

    ``refused`` counts by verb.
    """

    guarded: Guarded
    caller: str
    refused: Counter[str]

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        """As the command decides. What it would be refused for with the caller's roles is logged."""
        decision = self.command.decide(current, budget)
        try:
            self.guarded.decide(current, budget)
        except (PermissionDenied, ClusterNotFound, ClusterExists) as refusal:
            self.refused[self.verb] += 1
            logger.warning("would be refused: %s, %s of %r: %s", self.caller, self.verb, self.id, refusal.message)
        except RegistryError:
            pass  # the same command meets another document: what comes of that is not about permission
        return decision


def guarded(command: Command, caller: Caller, limits: Limits, *, observed: Counter[str]) -> Command:
    """The command for a caller; the very same one where the caller may do all that it can do.

    ``observed`` counts what would be refused, by verb.
    """
    permitted = caller.permitted
    if permitted is FULL_ACCESS:
        return command
    verbs = (command.verb, CREATED_BY.get(command.verb, command.verb))
    if all(map(permitted.is_unbounded, verbs)):
        return command
    if caller.observed is not None and not any(map(permitted.may, verbs)):
        return command  # which is noted for the whole request
    limited = Guarded(command, permitted, limits)
    return limited if caller.observed is None else Observed(command, limited, caller.name, observed)


def _listed(paths: Sequence[str]) -> str:
    named = ", ".join(map(repr, paths[:PATHS_SHOWN_MAX]))
    return named if len(paths) <= PATHS_SHOWN_MAX else f"{named} and {len(paths) - PATHS_SHOWN_MAX} more"
