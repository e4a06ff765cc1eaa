"""``rollbook node``, ``heartbeat``, ``webhook`` and ``dead-letter``."""

import time
from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.exits import FAILED
from rollbook.cli.nouns.declaring import argument, option
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
    seconds_of,
    verb,
)
from rollbook.cli.terminal import say, warn

if TYPE_CHECKING:
    from rollbook.client import Client

NODES = Columns(("id", "gpus.count", "gpus.modelNames", "vcpus.count", "memory", "tags"), ("swap", "storage.size"))
WEBHOOKS = Columns(("id", "url", "status.state", "status.lag", "status.deadLetters"), ("filter", "status.lastError"))
LETTERS = Columns(("number", "kind", "revision", "attempts", "problem"), name="number")

LOOK_SECONDS = 0.2

NodeArgument = Annotated[str, argument(metavar="NODE", help="The id of the node.")]
WebhookArgument = Annotated[str, argument(metavar="ID", help="The id of the webhook.")]

NumberArgument = Annotated[int | None, argument(metavar="[NUMBER]", help="One of them.", show_default=False)]

nodes = group("Nodes of a cluster.")
heartbeat = group("Heartbeats of a cluster.", is_noun=True)
letters = group("Messages of webhooks that could not be delivered.")
webhooks = group("Webhooks.")


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
    id: Annotated[str, argument(metavar="ID", help="The cluster.")],
    every: Annotated[str | None, option("--every", metavar="TIME", help="Again and again, such as 10s.")] = None,
    ttl: Annotated[int | None, option("--ttl", metavar="SECONDS", help="The length of the lease.")] = None,
) -> None:
    """Send a heartbeat, or one after another until Ctrl-C."""
    if every is None:
        printer.one(client.nodes.heartbeat(id, ttl_seconds=ttl), Columns(("id", "liveness", "expiresAt")))
        return
    with client.heartbeater(id, every=max(0.1, seconds_of(every, "--every")), ttl_seconds=ttl) as heartbeats:
        shown = None
        while True:
            time.sleep(LOOK_SECONDS)
            if heartbeats.error is not None and str(heartbeats.error) != shown:
                warn(f"no heartbeat arrives: {heartbeats.error}")
            shown = None if heartbeats.error is None else str(heartbeats.error)


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
    address: Annotated[str, argument(metavar="URL", help="Where changes are delivered to.")],
    filter: FilterOption = None,
    name: Annotated[str | None, option("--id", metavar="ID", help="Its id; made up without it.")] = None,
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
    patch: Annotated[str, argument(metavar="JSON", help='What changes, such as {"enabled": false}.')],
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
    since: Annotated[int, option("--since", metavar="REV", help="Deliver what is later again.")],
) -> None:
    """Deliver the changes after a revision again."""
    client.webhooks.replay(id, since)


@verb(webhooks, "test")
def try_webhook(
    client: "Client",
    printer: Printer,
    id: WebhookArgument,
    timeout: Annotated[str, option("--timeout", metavar="TIME", help="How long to wait, such as 5m.")] = "30s",
) -> None:
    """Deliver the newest change again, and report whether the target accepted it. The exit code is 1 if it did not."""
    deadline = time.monotonic() + seconds_of(timeout, "--timeout")
    before = client.webhooks.read(id)["status"]
    newest = before["revision"] + before["lag"]
    if not newest:
        say(f"{id}: there is no change yet that could be delivered")
        raise SystemExit(FAILED)
    client.webhooks.replay(id, min(before["revision"], newest - 1))  # what was not delivered yet is not passed over
    while True:
        status = client.webhooks.read(id)["status"]
        if status["state"] in ("disabled", "stopped"):
            problem = f"it is {status['state']}"
        elif status["lastError"] != before["lastError"]:
            problem = status["lastError"]["problem"]
        elif status["lastSuccess"] != before["lastSuccess"] and status["lastSuccess"]["revision"] >= newest:
            say(f"{id} accepted revision {status['lastSuccess']['revision']}")
            return
        elif status["revision"] >= newest:
            problem = f"its filter does not match the newest change, revision {newest}: nothing was sent"
        elif time.monotonic() > deadline:
            problem = f"no answer within {timeout}"
        else:
            time.sleep(LOOK_SECONDS)
            continue
        say(f"{id}: {problem}")
        raise SystemExit(FAILED)


@verb(letters, "ls")
def list_letters(client: "Client", printer: Printer, id: WebhookArgument) -> None:
    """List what could not be delivered."""
    printer.many(client.webhooks.dead_letters(id), LETTERS)


@verb(letters, "retry")
def retry_letters(client: "Client", printer: Printer, id: WebhookArgument, number: NumberArgument = None) -> None:
    """Deliver all of a webhook, or one, after all."""
    if number is None:
        say(f"{client.webhooks.retry_dead_letters(id)['retrying']} are tried again")
    else:
        client.webhooks.retry_dead_letter(id, number)
        say(f"{number} is tried again")


@verb(letters, "drop")
def drop_letters(client: "Client", printer: Printer, id: WebhookArgument, number: NumberArgument = None) -> None:
    """Give up all of a webhook, or one."""
    if number is None:
        client.webhooks.drop_dead_letters(id)
    else:
        client.webhooks.drop_dead_letter(id, number)
