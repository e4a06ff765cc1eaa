"""What each mode asks of a document, by who has to give a field.

One rule: a mode is two sets of Presence, one for what must be there and one for where ``null`` means absent; every
other module reads these and knows no mode.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.clusters.schema import Presence

Mode: TypeAlias = Literal["default", "lenient"]


class Demands(Struct, frozen=True):
    """``demanded``: its absence is a problem. ``nullable``: ``null`` there means absent, and is not stored."""

    demanded: frozenset[Presence]
    nullable: frozenset[Presence]


_MAY_BE_NULL = frozenset({Presence.KEPT, Presence.OPTIONAL})

NEW: dict[Mode, Demands] = {
    "default": Demands(
        demanded=frozenset({Presence.IDENTITY, Presence.REQUIRED, Presence.FILLED}),
        nullable=_MAY_BE_NULL | {Presence.FILLED},
    ),
    "lenient": Demands(
        demanded=frozenset({Presence.IDENTITY}),
        nullable=_MAY_BE_NULL | {Presence.FILLED, Presence.REQUIRED},
    ),
}
"""What is asked of a document at creation: what the system fills may be absent."""

STORED: dict[Mode, Demands] = {
    "default": Demands(
        demanded=frozenset({Presence.IDENTITY, Presence.REQUIRED, Presence.FILLED}),
        nullable=_MAY_BE_NULL,
    ),
    "lenient": Demands(
        demanded=frozenset({Presence.IDENTITY, Presence.FILLED}),
        nullable=_MAY_BE_NULL | {Presence.REQUIRED},
    ),
}
"""What is asked of a document after an update: what the system filled can't be taken away."""
