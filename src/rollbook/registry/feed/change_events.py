"""What a watcher receives: a committed change, under the name that it has for the watcher's filter.

| before matches | after matches | name |
|---|---|---|
| no document | yes | created |
| yes | yes | updated |
| no | yes | entered |
| yes | no | left |
| yes | no document | deleted |

A watcher from whom something is hidden is sent what the change is to the documents as it sees them: a cluster that
comes into its sight is created, one that leaves it is deleted, and a change of what is hidden is none.

Protection leaves the document as it is: to a watcher such a change is ``updated``, with an empty patch.

One rule: a change whose documents can't be read, judged or encoded is still an event. It holds a ``problem`` instead of
them, and nobody stops before it.
"""

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal, TypeAlias

import orjson
from msgspec import Struct, field

from rollbook.clusters.large_documents import decode_stored, decode_versions
from rollbook.documents.codec import check_stored, encode_json
from rollbook.documents.patching import patch_between
from rollbook.documents.values import Document
from rollbook.errors import is_out_of_memory
from rollbook.journal.changes import Change
from rollbook.registry.feed.times import iso_time
from rollbook.security.sights import WHOLE, Sight

Name: TypeAlias = Literal["created", "updated", "deleted", "entered", "left"]
Detail: TypeAlias = Literal["document", "patch", "both"]

UNREADABLE = "the registry can't read or encode the documents of this change; its log says why"

logger = logging.getLogger(__name__)


class Message(Struct, eq=False):
    """What a watcher is sent: the revision, the name of the event, and its JSON. One for all watchers who want it so.

    ``holders`` counts the mailboxes that it lies in.
    """

    revision: int
    name: Name
    body: bytes
    holders: int = 0
    _frames: dict[Any, bytes] = field(default_factory=dict)

    def framed(self, frame: "Callable[[Message], bytes]") -> bytes:
        """What ``frame`` makes of the message, made once."""
        made = self._frames.get(frame)
        if made is None:
            made = self._frames[frame] = frame(self)
        return made


class ChangeEvent(Struct, dict=True):
    """A change, with its documents decoded and its messages encoded at most once for all watchers."""

    change: Change
    _messages: dict[tuple[Name, Detail], Message] = field(default_factory=dict)
    _unreadable: Message | None = None
    _seen: "dict[Sight, ChangeEvent | None]" = field(default_factory=dict)

    @cached_property
    def before(self) -> Document | None:
        """The document before; None when there was none."""
        before, after = self.change.before, self.change.after
        if before is None or after is None:
            return None if before is None else decode_stored(before)
        return decode_versions(before, after)[0]

    @cached_property
    def after(self) -> Document | None:
        """The document after; None when there is none any more."""
        return None if self.change.after is None else decode_stored(self.change.after)

    @property
    def documents(self) -> list[Document]:
        """Those of the two that there are."""
        return [document for document in (self.before, self.after) if document is not None]

    def seen_by(self, sight: Sight) -> "ChangeEvent | None":
        """The change as ``sight`` shows it, made once; None when nothing of it is seen, or it can't be read."""
        if sight is WHOLE:
            return self
        if sight not in self._seen:
            try:
                seen = sight.change(self.change, (self.before, self.after))
            except Exception as fault:
                if is_out_of_memory(fault):
                    raise
                logger.error("revision %s can't be shown", self.change.revision, exc_info=fault)
                seen = None
            self._seen[sight] = None if seen is None else ChangeEvent(seen)
        return self._seen[sight]

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

    def message(self, name: Name, form: Detail) -> Message:
        """The message to a watcher."""
        message = self._messages.get((name, form))
        if message is None:
            try:
                body = orjson.dumps({"event": name, **self._members(name, form)})
            except Exception as fault:
                return self.unreadable(fault)
            message = self._messages[name, form] = Message(self.change.revision, name, body)
        return message

    def unreadable(self, fault: Exception) -> Message:
        """The message to every watcher when ``fault`` prevents the change from being judged or encoded.

        Raises the fault where memory is short, for that passes.
        """
        if is_out_of_memory(fault):
            raise fault
        if self._unreadable is None:
            logger.error("revision %s can't be shown", self.change.revision, exc_info=fault)
            name = self._own_name
            self._unreadable = Message(self.change.revision, name, self._without_documents(name))
        return self._unreadable

    def record(self, form: Detail) -> bytes:
        """The change as history shows it, under its own name, as JSON."""
        kind = self.change.kind
        try:
            if form == "document" and self.change.after is not None:
                check_stored(self.change.after)
            return orjson.dumps({"event": kind, **self._members(self._own_name, form)})
        except Exception as fault:
            if is_out_of_memory(fault):
                raise
            logger.error("revision %s can't be shown", self.change.revision, exc_info=fault)
            return self._without_documents(kind)

    @property
    def _own_name(self) -> Name:
        kind = self.change.kind
        return kind if kind == "created" or kind == "deleted" else "updated"

    def _members(self, name: Name, form: Detail) -> dict[str, Any]:
        """Who changed what, when and why, with the document after, the patch that leads to it, or both."""
        after = None if self.change.after is None else orjson.Fragment(self.change.after)
        members = self._facts()
        if form != "patch":
            members["document"] = after
        if form != "document":
            members["patch"] = self._patch if name in ("updated", "left") else [_whole(after)]
        return members

    def _facts(self) -> dict[str, Any]:
        change = self.change
        return {
            "revision": change.revision,
            "id": change.id,
            "time": iso_time(change.at_ms),
            "actor": change.actor,
            "reason": change.reason,
        }

    def _without_documents(self, name: str) -> bytes:
        return orjson.dumps({"event": name, **self._facts(), "problem": UNREADABLE})

    @cached_property
    def _patch(self) -> list[dict[str, Any]] | orjson.Fragment:
        """The patch as JSON, made once; of documents too deep to be compared, the one that replaces the whole."""
        try:
            return orjson.Fragment(encode_json([*patch_between(self.before, self.after)]))
        except RecursionError:
            after = self.change.after
            return [_whole(None if after is None else orjson.Fragment(after))]


def _whole(document: Any) -> dict[str, Any]:
    """The operation for who has not seen the document before, or shall not have it any more."""
    return {"op": "replace", "path": "", "value": document}
