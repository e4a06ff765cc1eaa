"""The envelope of the network's Parser: ``{"header": {...}, "body": {"spec": {"values": cluster}}}``.

One rule: what stands inside is taken as it is; an envelope that can't be read is refused with its place, never guessed.
"""

from collections.abc import Sequence

from rollbook.clusters.findings import shown
from rollbook.documents.values import MISSING, Document, Value
from rollbook.errors import RequestRefused, below

TEMPLATES = ("Parser/V1",)


def values_in(body: Value) -> Value:
    """The cluster document of a creation request: inside the Parser's envelope, or the body itself."""
    if not isinstance(body, dict) or "body" not in body or "id" in body:
        return body
    _check_header(body)
    values, at = _inside(body, ("body", "spec", "values"), "a cluster document")
    if not isinstance(values, dict):
        raise RequestRefused(f"a cluster is an object; it got {shown(values)}", at=at)
    return values


def search_values_in(body: Value) -> tuple[Value, str]:
    """The values of a search, and where they stand: inside ``{"body": {"values": ...}}``, or the body itself."""
    if not isinstance(body, dict) or "body" not in body:
        return body, ""
    _check_header(body)
    return _inside(body, ("body", "values"), "what to search for")


def _inside(envelope: Document, keys: Sequence[str], content: str) -> tuple[Value, str]:
    value: Value = envelope
    at = ""
    for key in keys:
        if not isinstance(value, dict):
            raise RequestRefused(f"the envelope holds an object here, not {shown(value)}", at=at)
        at = below(at, key)
        if key not in value:
            raise RequestRefused(f'"{key}" is missing; the envelope holds {content} at {_pointer(keys)}', at=at)
        value = value[key]
    return value, at


def _pointer(keys: Sequence[str]) -> str:
    return "/" + "/".join(keys)


def _check_header(envelope: Document) -> None:
    """Any other template is a policy of the Parser's, which is not run here: what it would make is not known."""
    header = envelope.get("header")
    if header is None:
        return
    if not isinstance(header, dict):
        raise RequestRefused(f"the header is an object, not {shown(header)}", at="/header")
    template = header.get("templateUri", MISSING)
    if template not in (MISSING, None, "", *TEMPLATES):
        known = " or ".join(TEMPLATES)
        raise RequestRefused(f"the template can only be {known}, not {shown(template)}", at="/header/templateUri")
