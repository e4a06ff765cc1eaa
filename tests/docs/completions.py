"""The table that completion reads, written off the commands (``make reference``)."""

import json
from typing import Any

from typer.core import TyperGroup

from rollbook.cli.catalogue import COMMANDS
from rollbook.cli.commands import loaded
from rollbook.cli.completing import TABLE
from rollbook.clusters.fleet_words import STATUSES
from rollbook.clusters.registry_fields import OF_LEASES, STORED
from rollbook.clusters.schema import CLUSTER, Fields, element_kind


def completions() -> str:
    """The table as text."""
    commands = {}
    for row in COMMANDS:
        command = loaded(row)
        if isinstance(command, TyperGroup):
            commands[row.name] = {"verbs": {name: of_command(each) for name, each in command.commands.items()}}
        else:
            commands[row.name] = of_command(command)
    fields = [*fields_of(CLUSTER), *(f"_registry.{name}" for name in {**STORED, **OF_LEASES})]
    table = {"commands": commands, "fields": fields, "statuses": sorted(STATUSES)}
    return json.dumps(table, indent=1) + "\n"


def of_command(command: Any) -> dict[str, Any]:
    """The options of a command with the names of their values (none: a flag), and its arguments."""
    options: dict[str, str | None] = {}
    arguments = []
    for each in command.params:
        if each.param_type_name == "argument":
            arguments.append(each.metavar or each.name.upper())
        elif not getattr(each, "hidden", False):
            metavar = None if getattr(each, "is_flag", False) else (each.metavar or "VALUE")
            options |= dict.fromkeys([*each.opts, *each.secondary_opts], metavar)
    return {"options": options, "arguments": arguments}


def fields_of(kind: Fields, prefix: str = "") -> list[str]:
    """The dotted paths of all documented fields."""
    found = []
    for name, member in kind.members.items():
        found.append(f"{prefix}{name}")
        inner = element_kind(member.kind)
        if isinstance(inner, Fields):
            found += fields_of(inner, f"{prefix}{name}.")
    return found


def write_completions() -> None:
    """Write the table."""
    TABLE.write_text(completions())
