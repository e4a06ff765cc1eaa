"""Pages for people: what this server is, and how it is asked. Plain HTML, made once when the server starts.

One rule: a page loads nothing, runs nothing and is framed by nobody; its one style sheet is named by its hash.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import orjson

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#222;background:#fff}"
    "h2{margin-top:3rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}code,pre{font:14px/1.4 monospace}"
    "code{background:#f3f3f3;padding:0 .2em}pre{background:#f3f3f3;padding:.7rem;overflow:auto}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ddd;padding:.2rem .6rem;text-align:left;"
    "vertical-align:top}nav a{margin-right:1em}.method{display:inline-block;min-width:4.5em;font-weight:bold}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}code,pre{background:#2b2b2b}"
    "td,th{border-color:#444}a{color:#8ab4f8}}"
)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LINKS = {
    "console": "/console",
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "schema": "/schema",
    "version": "/version",
    "health": "/healthz",
    "readiness": "/readyz",
    "metrics": "/metrics",
}
CODE, LINK = re.compile(r"`([^`]+)`"), re.compile(r"\[([^\]]+)\]\([^)]*\)")


def page(title: str, body: str) -> bytes:
    """A whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    ).encode()


def reference_page(description: Mapping[str, Any]) -> bytes:
    """The whole description as a page."""
    operations = list(_operations(description))
    tags = description["tags"]
    navigation = "".join(f'<a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags)
    parts = [
        f"<h1>{escape(description['info']['title'])} {description['info']['version']}</h1>",
        f"<p>{escape(description['info']['description'])} This page is made from "
        '<a href="/openapi.json">/openapi.json</a>.</p>',
        f'<nav>{navigation}<a href="#schemas">schemas</a></nav>',
    ]
    for tag in tags:
        parts.append(f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"])}</h2><p>{escape(tag["description"])}</p>')
        parts += [_operation(*each) for each in operations if tag["name"] in each[2]["tags"]]
    refusals = description["components"]["responses"]
    rows = [(name.removeprefix("Refused"), _text(each["description"])) for name, each in refusals.items()]
    parts += ['<h2 id="refusals">Refusals of any operation</h2>', _table(("status", "meaning"), rows)]
    parts.append('<h2 id="schemas">Schemas</h2>')
    parts += [_schema(name, schema) for name, schema in description["components"]["schemas"].items()]
    return page("Rollbook: HTTP API", "".join(parts))


def _operations(description: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    name = operation["operationId"]
    parameters = [
        (f"<code>{escape(each['name'])}</code>", each["in"], _text(each["description"]))
        for each in operation["parameters"]
    ]
    answers = [(status, _answer(answer)) for status, answer in operation["responses"].items()]
    return (
        f'<h3 id="{name}"><span class="method">{method}</span> <code>{escape(path)}</code></h3>'
        f"<p>{escape(operation['summary'])}.</p>"
        + _table(("parameter", "in", "meaning"), parameters)
        + _body(operation.get("requestBody"))
        + _table(("status", "meaning"), answers)
    )


def _answer(answer: Mapping[str, Any]) -> str:
    if "$ref" in answer:
        return f'<a href="#refusals">{answer["$ref"].rpartition("/")[2].removeprefix("Refused")} of any operation</a>'
    schemas = [content["schema"] for content in answer.get("content", {}).values()]
    return _text(answer["description"]) + (_type_of(schemas[0]) if schemas else "")


def _body(body: Mapping[str, Any] | None) -> str:
    if body is None:
        return ""
    content = next(iter(body["content"].values()))
    example = orjson.dumps(content["example"], option=orjson.OPT_INDENT_2).decode()
    return f"<p>Body: {_text(body['description'])}{_type_of(content['schema'])}</p><pre>{escape(example)}</pre>"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    members = [
        (f"<code>{escape(member)}</code>", _text(each.get("description", "")) + _type_of(each))
        for member, each in schema.get("properties", {}).items()
    ]
    rest = "" if members else f"<pre>{escape(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())}</pre>"
    description = _text(schema.get("description", ""))
    return f'<h3 id="schema-{name}">{name}</h3><p>{description}</p>{_table(("member", "meaning"), members)}{rest}'


def _type_of(schema: Mapping[str, Any]) -> str:
    target = str(schema.get("$ref", "")).rpartition("/")[2]
    if target:
        return f' (<a href="#schema-{target}">{target}</a>)'
    kind = schema.get("type")
    return f" ({escape(' or '.join(kind) if isinstance(kind, list) else str(kind))})" if kind else ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{each}</th>' for each in head)}</tr>{lines}</table>"


def _text(markdown: str) -> str:
    """The Markdown of the table's words: code, and links, of which the text stays."""
    return CODE.sub(r"<code>\1</code>", escape(LINK.sub(r"\1", markdown), quote=False))


def _anchor(name: str) -> str:
    return "tag-" + name.replace(" ", "-")
