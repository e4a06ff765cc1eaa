"""Callers: who asks something of the registry, and what they may.

One rule: every door of the registry takes the caller first. Who is inside this process is ``Caller.FULL``.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct

from rollbook.documents.values import Value
from rollbook.security.access import FULL_ACCESS, Access
from rollbook.security.limits import Rate
from rollbook.security.roles import Role

Kind: TypeAlias = Literal["anonymous", "token", "jwt", "certificate", "local", "registry", "command-line"]
"""How a caller was recognised. The registry and the command line are kinds of their own: no account passes for them."""


class Caller(Struct, frozen=True):
    """Who asks. ``name`` is the actor of what they change; ``expires_at_ms`` (Unix ms) ends all that they may.

    ``access`` is what the registry enforces, and comes from ``roles`` and ``facts``. While a registry only observes,
    ``access`` is full and ``observed`` is what would be enforced. ``key`` names whose ``rate`` of
    requests and whose watches are counted; None: as many as there may be.
    """

    name: str
    kind: Kind = "anonymous"
    access: Access = FULL_ACCESS
    expires_at_ms: int | None = None
    roles: tuple[Role, ...] = ()
    facts: Mapping[str, Value] = {}
    observed: Access | None = None
    key: str = ""
    rate: Rate | None = None
    watches_max: int | None = None
    is_noted: bool = False
    """Whether the log or the audit log has to know what it is shown: then the application answers, no shortcut."""

    FULL: ClassVar["Caller"]
    """May do everything; for callers inside this process, where nobody else asks."""

    @property
    def is_full(self) -> bool:
        """Whether it may do everything: then nothing has to be looked up or masked."""
        return self.access is FULL_ACCESS

    @property
    def permitted(self) -> Access:
        """What its roles allow, enforced or only observed."""
        return self.access if self.observed is None else self.observed

    def may(self, verb: str) -> bool:
        """Whether its roles allow the verb, on any cluster at all."""
        access = self.access if self.observed is None else self.observed
        return access is FULL_ACCESS or access.may(verb)


Caller.FULL = Caller("anonymous")
