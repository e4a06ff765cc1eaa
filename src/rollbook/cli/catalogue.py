"""The commands in one table, with the help that is written from it alone.

One rule: nothing is imported here that takes long, so that ``rollbook``, ``--help`` and ``--version`` answer at once.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """A command. ``home`` is where its function is, or its group of commands (a Typer); ``summary`` begins its help."""

    name: str
    home: str
    summary: str


COMMANDS = (
    Row("serve", "rollbook.cli.servers:serve", "Serve the registry over HTTP."),
    Row("import", "rollbook.cli.documents:import_", "Import the clusters of a file, or of a MongoDB."),
    Row(
        "export",
        "rollbook.cli.documents:export",
        "Write every document to standard output, a file or a MongoDB.",
    ),
    Row("move", "rollbook.cli.moves:move", "Copy a whole registry to another place."),
    Row("check", "rollbook.cli.directories:check", "Say whether a data directory, or a journal elsewhere, is sound."),
    Row("repair", "rollbook.cli.directories:repair", "Repair what a start was refused for."),
    Row("backup", "rollbook.cli.backups:app", "Back up a registry, verify a backup, and restore it."),
    Row("cluster", "rollbook.cli.nouns.cluster:app", "Clusters: list, read, create, change, follow and delete them."),
    Row("node", "rollbook.cli.nouns.others:nodes", "Nodes of a cluster."),
    Row("fleet", "rollbook.cli.nouns.fleets:fleet", "The fleet as a whole."),
    Row("heartbeat", "rollbook.cli.nouns.others:heartbeat", "Heartbeats of a cluster."),
    Row("webhook", "rollbook.cli.nouns.others:webhooks", "Webhooks."),
    Row("dead-letter", "rollbook.cli.nouns.others:letters", "Messages of webhooks that could not be delivered."),
    Row("context", "rollbook.cli.nouns.contexts:app", "Name servers, and choose one."),
    Row("demo", "rollbook.cli.demo.command:demo", "Fill a running registry with a made-up fleet that lives."),
    Row("login", "rollbook.cli.nouns.entering:login", "Keep a server and a token as a context."),
    Row("doctor", "rollbook.cli.nouns.doctoring:doctor", "Say what may be wrong."),
    Row("completion", "rollbook.cli.nouns.entering:completion", "Print what makes a shell complete commands."),
    Row("schema", "rollbook.cli.nouns.general:schema", "Explain the fields of cluster documents."),
    Row("api", "rollbook.cli.nouns.general:api", "Send any request."),
    Row("version", "rollbook.cli.nouns.general:version", "Print versions."),
    Row("token", "rollbook.cli.accounts:tokens", "Make, list, rotate and revoke tokens."),
    Row("role", "rollbook.cli.accounts:roles", "List, read and apply roles."),
    Row("security", "rollbook.cli.security:app", "Check the security file."),
    Row("access", "rollbook.cli.accounts:access", "Ask what may be done."),
)

HELP = """\
Usage: rollbook [OPTIONS] COMMAND [ARGS]...

  The clusters registry of an AI network.

Options:
  --version   Say which version this is.
  -h, --help  Show this message and exit.

Commands:
"""


def answer_to(arguments: Sequence[str]) -> str | None:
    """What is printed where no command is named; None where there is one."""
    if list(arguments) == ["--version"]:
        from rollbook import __version__

        return f"rollbook {__version__}"
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(len(row.name) for row in COMMANDS)
        return HELP + "\n".join(f"  {row.name.ljust(width)}  {row.summary}" for row in COMMANDS)
    return None
