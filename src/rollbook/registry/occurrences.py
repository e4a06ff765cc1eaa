"""What a watcher is told: a committed change, under the name that it has for the watcher's filter.

| before matches | after matches | name |
|---|---|---|
| no document | yes | created |
| yes | yes | updated |
| no | yes | entered |
| yes | no | left |
| yes | no document | deleted |
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import jsonpatch
import orjson

from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document
from rollbook.journal.changes import Change
from rollbook.registry.times import iso_time

Name: TypeAlias = Literal["created", "updated", "deleted", "entered", "left"]
Form: TypeAlias = Literal["document", "patch", "both"]
FORMS: tuple[Form, ...] = ("document", "patch", "both")


@dataclass
class Occurrence:
    """A change, with its documents decoded and its messages encoded at most once for all watchers."""

    change: Change
    _messages: dict[tuple[str, Form], bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def before(self) -> Document | None:
        """The document before; None when there was none."""
        return None if self.change.before is None else decode_stored(self.change.before)

    @cached_property
    def after(self) -> Document | None:
        """The document after; None when there is none any more."""
        return None if self.change.after is None else decode_stored(self.change.after)

    @cached_property
    def patch(self) -> list[dict[str, Any]]:
        """The JSON Patch (RFC 6902) from the document before to the one after; no document counts as null."""
        operations: list[dict[str, Any]] = jsonpatch.make_patch(self.before, self.after).patch
        return operations

    def name_for(self, matches: Callable[[Document], bool]) -> Name | None:
        """What the change is to who watches the documents that match; None when it is nothing to them."""
        was = self.before is not None and matches(self.before)
        now = self.after is not None and matches(self.after)
        if not was and not now:
            return None
        if was and now:
            return "updated"
        if now:
            return "created" if self.before is None else "entered"
        return "deleted" if self.after is None else "left"

    def message(self, name: Name, form: Form) -> bytes:
        """The message to a watcher, as JSON."""
        key = (name, form)
        if key not in self._messages:
            self._messages[key] = orjson.dumps({"event": name, **self.members(form)})
        return self._messages[key]

    def members(self, form: Form) -> dict[str, Any]:
        """Who changed what, when and why, with the document after, the patch that leads to it, or both."""
        change = self.change
        members: dict[str, Any] = {
            "revision": change.revision,
            "id": change.id,
            "time": iso_time(change.at_ms),
            "actor": change.actor,
            "reason": change.reason,
        }
        if form != "patch":
            members["document"] = None if change.after is None else orjson.Fragment(change.after)
        if form != "document":
            members["patch"] = self.patch
        return members
