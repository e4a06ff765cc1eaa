"""``rollbook node``, ``heartbeat`` and ``webhook``."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli.nouns.printing import Columns, Printer
from rollbook.cli.nouns.verbs import (
    FileOption,
    FilterOption,
    IdArgument,
    ReasonOption,
    group,
    id_of,
    parsed_json,
    read_document,
    verb,
)
from rollbook.cli.terminal import say

if TYPE_CHECKING:
    from rollbook.client import Client

NODES = Columns(("id", "gpus.count", "gpus.modelNames", "vcpus.count", "memory", "tags"), ("swap", "storage.size"))
WEBHOOKS = Columns(("id", "url", "status.state", "status.lag", "status.deadLetters"), ("filter", "status.lastError"))
LETTERS = Columns(("number", "kind", "revision", "attempts", "problem"), name="number")

NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="The id of the node.")]
WebhookArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the webhook.")]

nodes = group("Nodes of a cluster.")
heartbeat = group("Heartbeats of a cluster.")
webhooks = group("Webhooks and their dead letters.")


@verb(nodes, "ls")
def list_nodes(client: "Client", printer: Printer, id: IdArgument) -> None:
    """List the nodes of a cluster."""
    printer.many(client.nodes.list(id_of(client, id)), NODES)


@verb(nodes, "get")
def get_node(client: "Client", printer: Printer, id: IdArgument, node: NodeArgument) -> None:
    """Print a node."""
    printer.one(client.nodes.read(id_of(client, id), node).document, NODES)


@verb(nodes, "join")
def join(client: "Client", printer: Printer, id: IdArgument, file: FileOption, reason: ReasonOption = None) -> None:
    """Let the node in a file join a cluster, or replace itself."""
    reply = client.nodes.join(id_of(client, id), read_document(file), reason=reason)
    say(f"{reply.document['id']} joined")


@verb(nodes, "leave")
def leave(client: "Client", printer: Printer, id: IdArgument, node: NodeArgument, reason: ReasonOption = None) -> None:
    """Let a node leave its cluster."""
    client.nodes.leave(id_of(client, id), node, reason=reason)
    say(f"{node} left")


@verb(nodes, "sync")
def sync(client: "Client", printer: Printer, id: IdArgument, file: FileOption, reason: ReasonOption = None) -> None:
    """Replace the list of nodes by the one in a file."""
    client.nodes.sync(id_of(client, id), read_document(file), reason=reason)


@verb(heartbeat, "send")
def send_heartbeat(
    client: "Client",
    printer: Printer,
    id: Annotated[str, typer.Argument(metavar="ID", help="The cluster.")],
    every: Annotated[float | None, typer.Option("--every", metavar="SECONDS", help="Again and again.")] = None,
    ttl: Annotated[int | None, typer.Option("--ttl", metavar="SECONDS", help="The length of the lease.")] = None,
) -> None:
    """Send a heartbeat, or one after another until Ctrl-C."""
    while True:
        lease = client.nodes.heartbeat(id, ttl_seconds=ttl)
        if every is None:
            printer.one(lease, Columns(("id", "liveness", "expiresAt")))
            return
        time.sleep(every)


@heartbeat.callback()
def about_heartbeats() -> None:
    """Heartbeats of a cluster."""  # with a callback, one command is a group too


@verb(webhooks, "ls")
def list_webhooks(client: "Client", printer: Printer) -> None:
    """List the webhooks with how far their deliveries are."""
    printer.many(client.webhooks.list(), WEBHOOKS)


@verb(webhooks, "get")
def get_webhook(client: "Client", printer: Printer, id: WebhookArgument) -> None:
    """Print a webhook."""
    printer.one(client.webhooks.read(id), WEBHOOKS)


@verb(webhooks, "create")
def create_webhook(
    client: "Client",
    printer: Printer,
    address: Annotated[str, typer.Argument(metavar="URL", help="Where changes are delivered to.")],
    filter: FilterOption = None,
    name: Annotated[str | None, typer.Option("--id", metavar="ID", help="Its id; made up without it.")] = None,
) -> None:
    """Create a webhook, and print it with its secret, which is shown this once."""
    webhook: dict[str, Any] = {"url": address}
    webhook |= {} if filter is None else {"filter": parsed_json(filter, "the filter")}
    webhook |= {} if name is None else {"id": name}
    printer.one(client.webhooks.create(webhook), WEBHOOKS)


@verb(webhooks, "set")
def set_webhook(
    client: "Client",
    printer: Printer,
    id: WebhookArgument,
    patch: Annotated[str, typer.Argument(metavar="JSON", help='What changes, such as {"enabled": false}.')],
) -> None:
    """Change a webhook."""
    printer.one(client.webhooks.patch(id, parsed_json(patch, "the patch")), WEBHOOKS)


@verb(webhooks, "rm")
def remove_webhook(client: "Client", printer: Printer, id: WebhookArgument) -> None:
    """Delete a webhook."""
    client.webhooks.delete(id)
    say(f"{id} deleted")


@verb(webhooks, "replay")
def replay(
    client: "Client",
    printer: Printer,
    id: WebhookArgument,
    since: Annotated[int, typer.Option("--since", metavar="REV", help="Deliver what is later again.")],
) -> None:
    """Deliver the changes after a revision again."""
    client.webhooks.replay(id, since)


@verb(webhooks, "dead-letters")
def dead_letters(
    client: "Client",
    printer: Printer,
    id: WebhookArgument,
    retry: Annotated[bool, typer.Option("--retry", help="Try all of them again.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Throw all of them away.")] = False,
) -> None:
    """List the dead letters of a webhook, try them again, or drop them."""
    if drop:
        client.webhooks.drop_dead_letters(id)
    elif retry:
        say(f"{client.webhooks.retry_dead_letters(id)['retrying']} are tried again")
    else:
        printer.many(client.webhooks.dead_letters(id), LETTERS)
