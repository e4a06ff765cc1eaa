"""Observing: what a caller would not see, while a registry only observes who asks.

One rule: a sentence is logged once for a caller. Clients repeat themselves, and the log is to be read.
"""

import logging
from collections.abc import Iterator, Mapping

from rollbook.api.declarations import Operation
from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.paths import dotted
from rollbook.registry.registry import Registry
from rollbook.security.callers import Caller
from rollbook.security.masks import Mask, hidden_paths
from rollbook.security.sights import WHOLE

BEATING = "heartbeat"
READING = ("read", "watch", "history")
SENTENCES_MAX = 10_000
PATHS_MAX = 10

logger = logging.getLogger(__name__)


class Observations:
    """The sentences that were logged already."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._logged: set[tuple[str, str]] = set()

    def note(self, operation: Operation, caller: Caller, names: Mapping[str, str]) -> None:
        """Log what the caller would not have seen of an answer, or a heartbeat that it may not send."""
        if operation.verb not in (*READING, BEATING) or caller.observed is None:
            return
        sight = caller.observed.sight(operation.verb)
        if not sight.grants or (sight is WHOLE and operation.verb != BEATING):
            return
        for sentence in self._sentences(operation, caller, names):
            known = (caller.key, sentence)
            if known not in self._logged and len(self._logged) < SENTENCES_MAX:
                self._logged.add(known)
                logger.warning("would be refused: %s", sentence)

    def _sentences(self, operation: Operation, caller: Caller, names: Mapping[str, str]) -> Iterator[str]:
        assert caller.observed is not None
        sight, entry = caller.observed.sight(operation.verb or ""), self._registry.view.entry(names.get("id", ""))
        if entry is None:
            masks = {grant.mask for grant in sight.grants}
            if any(grant.holds is not None for grant in sight.grants):
                yield f"{caller.name} would see a part of the clusters in {operation.name}"
            hidden = set.intersection(*({*map(dotted, hidden_paths(mask))} for mask in masks))
            if hidden:
                yield f"{caller.name} would not see {_listed(sorted(hidden))} in {operation.name}"
            return
        mask = sight.mask_of(document := decode_stored(entry.body))
        if operation.verb == BEATING:
            if mask is None:
                yield f"{caller.name} may not send heartbeats of {entry.id!r}"
        elif mask is None:
            yield f"{caller.name} would be answered 404 by {operation.name}: it does not see {entry.id!r}"
        elif mask.masked(document) is not document:
            yield f"{caller.name} would not see {_of(mask)} of {entry.id!r} in {operation.name}"


def _of(mask: Mask) -> str:
    return _listed(sorted(map(dotted, hidden_paths(mask)))) if mask.shown else "all but its role's paths"


def _listed(paths: list[str]) -> str:
    return ", ".join(paths[:PATHS_MAX]) + (f" and {len(paths) - PATHS_MAX} more" if len(paths) > PATHS_MAX else "")
