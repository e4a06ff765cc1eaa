"""Heartbeats that were heard here, until the other processes of the registry have been sent them.

One rule: of several heartbeats of a cluster, the last is sent.
"""

from collections.abc import Sequence

from rollbook.journal.links import SharedHeartbeat
from rollbook.registry.liveness.heartbeats import Heartbeat
from rollbook.view.entries import Entry


class Unshared:
    """What is to be sent with the next tick."""

    def __init__(self) -> None:
        self._heard: dict[str, SharedHeartbeat] = {}

    def note(self, entry: Entry, heartbeat: Heartbeat) -> None:
        """A heartbeat of the cluster of this entry was heard here."""
        shared = SharedHeartbeat(entry.id, entry.created_revision, heartbeat.ttl_seconds, heartbeat.nodes)
        self._heard[entry.id] = shared

    def take(self) -> Sequence[SharedHeartbeat]:
        """What was heard since the last call."""
        heard, self._heard = self._heard, {}
        return list(heard.values())
