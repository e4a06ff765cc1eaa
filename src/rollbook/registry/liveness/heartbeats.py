"""Heartbeats as they are sent: a JSON object of three members, each of which may be left out.

One rule: a number that is out of bounds is refused, never clamped. Who asks for a lease of a week and is given a day
would find itself unreachable without having done wrong.
"""

from msgspec import Struct

from rollbook.clusters.liveness import TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX, TTL_SECONDS_MIN
from rollbook.documents.values import MISSING, Document, Maybe, is_number
from rollbook.errors import HeartbeatRefused, below

NODES_MAX = 10_000
NODE_ID_LENGTH_MAX = 1_000
STATUS_LENGTH_MAX = 1_000
MEMBERS = ("ttlSeconds", "status", "nodes")


class Heartbeat(Struct, frozen=True):
    """One heartbeat. ``status`` None: nothing is said of it; ``nodes`` are the ids of those that are present."""

    ttl_seconds: int = TTL_SECONDS_DEFAULT
    status: str | None = None
    nodes: tuple[str, ...] = ()


PLAIN_HEARTBEAT = Heartbeat()


def parse_heartbeat(body: Maybe) -> Heartbeat:
    """The heartbeat of a request body; an empty one is a beat with nothing said."""
    if body is MISSING:
        return PLAIN_HEARTBEAT
    if not isinstance(body, dict):
        raise HeartbeatRefused("a heartbeat is an object, or has no body at all")
    for name in body:
        if name not in MEMBERS:
            raise HeartbeatRefused(
                f"{name!r} is no member of a heartbeat; these are: {', '.join(MEMBERS)}", at=below("", name)
            )
    return Heartbeat(_ttl_seconds(body), _status(body), _nodes(body))


def _ttl_seconds(body: Document) -> int:
    given = body.get("ttlSeconds", TTL_SECONDS_DEFAULT)
    if not is_number(given) or not TTL_SECONDS_MIN <= given <= TTL_SECONDS_MAX or given != int(given):
        raise HeartbeatRefused(
            f"ttlSeconds must be an integer from {TTL_SECONDS_MIN} to {TTL_SECONDS_MAX}", at="/ttlSeconds"
        )
    return int(given)


def _status(body: Document) -> str | None:
    given = body.get("status", MISSING)
    if given is MISSING:
        return None
    if not isinstance(given, str) or len(given) > STATUS_LENGTH_MAX:
        raise HeartbeatRefused(f"status must be a text of at most {STATUS_LENGTH_MAX} characters", at="/status")
    return given


def _nodes(body: Document) -> tuple[str, ...]:
    given = body.get("nodes", [])
    if not isinstance(given, list) or len(given) > NODES_MAX:
        raise HeartbeatRefused(f"nodes must be an array of the ids of at most {NODES_MAX} present nodes", at="/nodes")
    for index, id in enumerate(given):
        if not isinstance(id, str) or not 0 < len(id) <= NODE_ID_LENGTH_MAX:
            raise HeartbeatRefused("the id of a node is a text that is not empty", at=below("/nodes", index))
    return tuple(id for id in given if isinstance(id, str))
