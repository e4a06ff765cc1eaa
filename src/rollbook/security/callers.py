"""Callers: who asks something of the registry, and what they may.

One rule: every door of the registry takes the caller first. Who is inside this process is ``Caller.FULL``.
"""

from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct

from rollbook.security.access import FULL_ACCESS, Access

Kind: TypeAlias = Literal["anonymous", "token", "jwt", "certificate", "local", "registry", "command-line"]
"""How a caller was recognised. The registry and the command line are kinds of their own: no account passes for them."""


class Caller(Struct, frozen=True):
    """Who asks. ``name`` is the actor of what they change; ``expires_at_ms`` (Unix ms) ends all that they may."""

    name: str
    kind: Kind = "anonymous"
    access: Access = FULL_ACCESS
    expires_at_ms: int | None = None

    FULL: ClassVar["Caller"]
    """May do everything; for callers inside this process, where nobody else asks."""

    @property
    def is_full(self) -> bool:
        """Whether it may do everything: then nothing has to be looked up or masked."""
        return self.access is FULL_ACCESS

    def may(self, verb: str) -> bool:
        """Whether it may use the verb, on any cluster at all."""
        return self.access is FULL_ACCESS or self.access.may(verb)


Caller.FULL = Caller("anonymous")
