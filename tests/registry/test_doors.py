"""Whoever asks something of the registry comes first: every method of a door takes the caller, or is listed here."""

import inspect

import pytest

from rollbook.registry.history.history import History
from rollbook.registry.listing.fits import Fits
from rollbook.registry.listing.pages import Pages
from rollbook.registry.listing.tables import Tables
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.reading.queries import Reader
from rollbook.registry.registry import Registry
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.dead_letters import DeadLetters
from rollbook.registry.webhooks.webhooks import Webhooks

OF_THE_REGISTRY: dict[type, set[str]] = {
    Reader: set(),
    History: {"on_thread"},
    Pages: set(),
    Fits: set(),
    Tables: set(),
    Watching: {"check_past", "past", "forget_aged", "stop"},
    Webhooks: {"start", "standing", "follow", "rest"},
    DeadLetters: set(),
    LeaseKeeper: {"listen", "start", "hear", "look", "finish", "metrics"},
    Registry: {"write_together"},
}
"""What only the registry itself calls, what is about revisions alone, and what takes writes that each have a caller."""


@pytest.mark.parametrize("door", OF_THE_REGISTRY, ids=lambda door: door.__name__)
def test_a_method_of_a_door_takes_the_caller_first(door: type) -> None:
    without = set()
    for name, member in vars(door).items():
        method = inspect.unwrap(getattr(member, "__func__", member))
        if not name.startswith("_") and inspect.isfunction(method):
            parameters = [*inspect.signature(method).parameters]
            if parameters[1:2] != ["caller"]:
                without.add(name)
    assert without == OF_THE_REGISTRY[door]
