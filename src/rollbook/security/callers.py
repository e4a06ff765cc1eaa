"""Callers: who asks something of the registry.

One rule: every door of the registry takes the caller first. There is no authentication yet, so every caller may do
everything, and the name serves the history only.
"""

from typing import ClassVar

from msgspec import Struct


class Caller(Struct, frozen=True):
    """Who asks. ``name`` is the actor of what they change."""

    name: str

    FULL: ClassVar["Caller"]
    """May do everything; for callers inside this process, where nobody else asks."""


Caller.FULL = Caller("anonymous")
