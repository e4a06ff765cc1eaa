"""``rollbook schema``, ``rollbook api`` and ``rollbook version``."""

from typing import TYPE_CHECKING, Annotated, Any

from rollbook import __version__
from rollbook.cli.nouns.declaring import argument, option
from rollbook.cli.nouns.printing import Columns, Printer, meant_by, write
from rollbook.cli.nouns.verbs import group, parsed_json, verb
from rollbook.cli.terminal import printable
from rollbook.errors import RequestRefused

if TYPE_CHECKING:
    from rollbook.client import Client

schema = group("Explain the fields of cluster documents.")
api = group("Send any request.")
version = group("Print versions.")


@verb(schema, "schema")
def explain_schema(
    client: "Client",
    printer: Printer,
    path: Annotated[str, argument(metavar="[PATH]", help="A field, such as gpus.count.")] = "",
) -> None:
    """Explain the fields of cluster documents.

    Prints their types and meanings, of the fields below PATH or of all.
    """
    found = _below(client.registry.schema(), path)
    members = found.get("properties") or found.get("items", {}).get("properties") or {}
    rows = [
        {"field": name, "type": _type_of(each), "meaning": each.get("description", "")}
        for name, each in members.items()
    ] or [{"field": path, "type": _type_of(found), "meaning": found.get("description", "")}]
    printer.many(rows, Columns(("field", "type", "meaning"), name="field"))


@verb(api, "api")
def send(
    client: "Client",
    printer: Printer,
    method: Annotated[str, argument(metavar="METHOD")],
    path: Annotated[str, argument(metavar="PATH", help="With its query string.")],
    body: Annotated[str | None, option("--body", metavar="JSON", help="The body.")] = None,
) -> None:
    """Send any request.

    Prints the answer as it is.
    """
    from rollbook.client.calls import Call, encoded
    from rollbook.client.replies import text

    content = None if body is None else encoded(parsed_json(body, "the body"))
    write(client.send(Call(method.upper(), path, text, body=content)).rstrip("\n"))


@verb(version, "version")
def print_version(client: "Client", printer: Printer) -> None:
    """Print versions.

    Of this program, and of the server.
    """
    write(f"rollbook {__version__}")
    write(printable(f"server {client.registry.version()['version']}"))


def _below(found: dict[str, Any], path: str) -> dict[str, Any]:
    for name in filter(None, path.split(".")):
        members = found.get("properties") or found.get("items", {}).get("properties") or {}
        if name not in members:
            raise RequestRefused(
                f"no field {name!r} in {path!r}; there are {', '.join(members) or 'none'}{meant_by(name, members)}"
            )
        found = members[name]
    return found


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "any")
    return kind if isinstance(kind, str) else " or ".join(kind)
