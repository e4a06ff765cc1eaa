"""The nouns of the API: which operations each client has, under which names.

One rule: every operation of the registry's table is here, or in the list of those that are left out; a test walks it.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

from rollbook.client.binding import Awaiting, Waiting, operation, streamed
from rollbook.client.calls import Call, Stream
from rollbook.client.operations import clusters, history, many, nodes, registry, security, watching, webhooks

T = TypeVar("T")


class Clusters:
    """Operations on clusters."""

    create = operation(clusters.create)
    read = operation(clusters.read)
    list = operation(clusters.list_clusters)
    following = operation(clusters.following)
    update = operation(clusters.update)
    patch = operation(clusters.patch)
    replace = operation(clusters.replace)
    delete = operation(clusters.delete)
    update_matching = operation(many.update_matching)
    delete_matching = operation(many.delete_matching)
    restore = operation(clusters.restore)
    protect = operation(clusters.protect)
    unprotect = operation(clusters.unprotect)
    bulk = operation(many.bulk)
    bulk_results = streamed(many.bulk_results)
    validate = operation(clusters.validate)
    query = streamed(clusters.query)
    snapshot = operation(clusters.snapshot)
    aggregate = streamed(clusters.aggregate)
    count = operation(clusters.count)
    facets = operation(clusters.facets)
    distinct = operation(clusters.distinct)
    table = operation(clusters.table)
    fit = operation(clusters.fit)
    explain = operation(clusters.explain)


class Nodes:
    """Operations on the nodes of a cluster, and its heartbeat."""

    list = operation(nodes.list_nodes)
    read = operation(nodes.read)
    join = operation(nodes.join)
    replace = operation(nodes.replace)
    patch = operation(nodes.patch)
    leave = operation(nodes.leave)
    sync = operation(nodes.sync)
    heartbeat = operation(nodes.heartbeat)
    uptime = operation(nodes.uptime)
    table = operation(nodes.table)


class History:
    """Operations on history."""

    of = operation(history.of)
    changes = operation(history.changes)
    wait = operation(watching.changes_after)
    newest = operation(watching.newest_revision)
    events = streamed(watching.events)


class Webhooks:
    """Operations on webhooks and their dead letters."""

    create = operation(webhooks.create)
    list = operation(webhooks.list_webhooks)
    read = operation(webhooks.read)
    replace = operation(webhooks.replace)
    patch = operation(webhooks.patch)
    delete = operation(webhooks.delete)
    replay = operation(webhooks.replay)
    dead_letters = operation(webhooks.dead_letters)
    dead_letter = operation(webhooks.dead_letter)
    retry_dead_letters = operation(webhooks.retry_dead_letters)
    retry_dead_letter = operation(webhooks.retry_dead_letter)
    drop_dead_letters = operation(webhooks.drop_dead_letters)
    drop_dead_letter = operation(webhooks.drop_dead_letter)


class Tokens:
    """Operations on tokens."""

    create = operation(security.create_token)
    list = operation(security.list_tokens)
    read = operation(security.read_token)
    rotate = operation(security.rotate_token)
    revoke = operation(security.revoke_token)


class Roles:
    """Operations on roles."""

    list = operation(security.list_roles)
    read = operation(security.read_role)
    put = operation(security.put_role)
    delete = operation(security.delete_role)


class Access:
    """Operations that answer who a caller is and what it may."""

    read = operation(security.read_access)
    can = operation(security.ask_access)
    audit = operation(security.audit)


class Registry:
    """Operations on the registry itself."""

    version = operation(registry.version)
    schema = operation(registry.schema)
    openapi = operation(registry.openapi)
    metrics = operation(registry.metrics)
    running = operation(registry.running)
    ready = operation(registry.ready)
    backup = streamed(registry.backup)


class WaitingRegistry(Registry, Waiting):
    """Operations on the registry itself, each of which waits for its answer."""


class AwaitingRegistry(Registry, Awaiting):
    """Operations on the registry itself, each of which is awaited."""


class WaitingClusters(Clusters, Waiting):
    """Operations on clusters, each of which waits for its answer."""


class AwaitingClusters(Clusters, Awaiting):
    """Operations on clusters, each of which is awaited."""


class WaitingNodes(Nodes, Waiting):
    """Operations on nodes, each of which waits for its answer."""


class AwaitingNodes(Nodes, Awaiting):
    """Operations on nodes, each of which is awaited."""


class WaitingHistory(History, Waiting):
    """Operations on history, each of which waits for its answer."""


class AwaitingHistory(History, Awaiting):
    """Operations on history, each of which is awaited."""


class WaitingWebhooks(Webhooks, Waiting):
    """Operations on webhooks, each of which waits for its answer."""


class AwaitingWebhooks(Webhooks, Awaiting):
    """Operations on webhooks, each of which is awaited."""


class WaitingTokens(Tokens, Waiting):
    """Operations on tokens, each of which waits for its answer."""


class AwaitingTokens(Tokens, Awaiting):
    """Operations on tokens, each of which is awaited."""


class WaitingRoles(Roles, Waiting):
    """Operations on roles, each of which waits for its answer."""


class AwaitingRoles(Roles, Awaiting):
    """Operations on roles, each of which is awaited."""


class WaitingAccess(Access, Waiting):
    """Operations on what a caller may, each of which waits for its answer."""


class AwaitingAccess(Access, Awaiting):
    """Operations on what a caller may, each of which is awaited."""


class WaitingNouns:
    """The operations by noun, of a client that waits; closed at the end of a ``with``."""

    def __init__(self) -> None:
        self.clusters = WaitingClusters(self)
        self.nodes = WaitingNodes(self)
        self.history = WaitingHistory(self)
        self.webhooks = WaitingWebhooks(self)
        self.tokens = WaitingTokens(self)
        self.roles = WaitingRoles(self)
        self.access = WaitingAccess(self)
        self.registry = WaitingRegistry(self)

    def send(self, call: Call[T]) -> T:
        """Send a call and return its result. Raises the registry's refusal."""
        raise NotImplementedError

    def stream(self, stream: Stream[T]) -> Iterator[T]:
        """The values of an answer, as they arrive."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
