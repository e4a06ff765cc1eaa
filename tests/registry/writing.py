"""Writes to a registry in this process, as tests ask for them."""

from typing import Any

from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.registry import Registry
from rollbook.registry.writing.commands import Delete
from rollbook.security.callers import Caller
from tests.examples import cluster

TESTER = Caller("tester")
REASON = "a test"


async def create(registry: Registry, id: str, **fields: Any) -> int:
    """Enrol a cluster; the revision."""
    command = parse_creation(cluster(id, **fields), rules=registry.rules, limits=registry.limits)
    return (await registry.write(TESTER, command, reason=REASON)).revision


async def update(registry: Registry, id: str, change: Any) -> int:
    """Change a cluster; the revision."""
    command = parse_update_request(id, change, rules=registry.rules, limits=registry.limits)
    return (await registry.write(TESTER, command, reason=REASON)).revision


async def delete(registry: Registry, id: str) -> int:
    """Strike a cluster off; the revision."""
    return (await registry.write(TESTER, Delete(id), reason=REASON)).revision
