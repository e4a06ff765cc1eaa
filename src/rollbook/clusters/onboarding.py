"""The envelope of the network's Parser: ``{"header": {...}, "body": {"spec": {"values": cluster or node}}}``.

One rule: what stands inside is taken as it is; an envelope that can't be read is refused with its place, never guessed.
"""

from collections.abc import Sequence

from msgspec import Struct

from rollbook.clusters.findings import shown
from rollbook.documents.values import MISSING, Document, Value
from rollbook.errors import RequestRefused, below

TEMPLATES = ("Parser/V1",)
POLICY, RANKING = "policyRuleURI", ("rankingPolicy",)


def values_in(body: Value) -> Value:
    """The cluster document of a creation request: inside the Parser's envelope, or the body itself."""
    if not isinstance(body, dict) or "body" not in body or "id" in body:
        return body
    _check_header(body)
    values, at = _inside(body, ("body", "spec", "values"), "a cluster document")
    if not isinstance(values, dict):
        raise RequestRefused(f"a cluster is an object; it got {shown(values)}", at=at)
    return values


class NodesToAdd(Struct, frozen=True):
    """Nodes for a cluster, where in the request each stands, and what the request says that means nothing."""

    cluster_id: str
    nodes: Sequence[Value]
    places: Sequence[str]
    ignored: Sequence[str] = ()


def nodes_to_add_in(body: Value) -> NodesToAdd:
    """The nodes of a request to add some, inside the Parser's envelope or bare.

    They are a node with ``clusterId`` among its members, or ``{"clusterId", "nodeData": node or array of nodes}``.
    """
    values, at = body, ""
    if isinstance(body, dict) and "body" in body and "clusterId" not in body:
        _check_header(body)
        values, at = _inside(body, ("body", "spec", "values"), "a node with its clusterId")
    if not isinstance(values, dict):
        raise RequestRefused(f"a node is an object with clusterId among its members, not {shown(values)}", at=at)
    cluster_id = values.get("clusterId", MISSING)
    if not isinstance(cluster_id, str) or not cluster_id:
        given = "is missing" if cluster_id is MISSING else f"is {shown(cluster_id)}"
        raise RequestRefused(f"clusterId {given}; it says which cluster the node joins", at=below(at, "clusterId"))
    others = {name: value for name, value in values.items() if name != "clusterId"}
    if "nodeData" not in others:
        return NodesToAdd(cluster_id, [others], [at])
    nodes, place = others.pop("nodeData"), below(at, "nodeData")
    if not isinstance(nodes, list):
        return NodesToAdd(cluster_id, [nodes], [place], [*others])
    if not nodes:
        raise RequestRefused("nodeData lists no node", at=place)
    return NodesToAdd(cluster_id, nodes, [below(place, index) for index in range(len(nodes))], [*others])


def search_values_in(body: Value) -> tuple[Value, str]:
    """The values of a search, and where they stand: inside ``{"body": {"values": ...}}``, or the body itself."""
    if not isinstance(body, dict) or "body" not in body:
        return body, ""
    _check_header(body)
    return _inside(body, ("body", "values"), "what to search for")


def search_without_code_in(body: Value) -> tuple[Value, str]:
    """Like ``search_values_in``, for a search that may name a policy.

    Refuses (RequestRefused) a policy that would have to be run: this registry runs no code of callers.
    """
    values, at = search_values_in(body)
    place = _policy_in(values, at)
    if place is not None:
        problem = (
            f"this registry runs no code, so it can't rank by a policy ({POLICY}): leave it out, and rank what is found"
        )
        raise RequestRefused(problem, at=place)
    if isinstance(values, dict):
        values = {name: member for name, member in values.items() if name not in RANKING or member not in ({}, None)}
    return values, at


def _policy_in(value: Value, at: str) -> str | None:
    """Where a policy is named that would have to be run; None where none is."""
    if isinstance(value, dict):
        if value.get(POLICY) not in (None, ""):
            return below(at, POLICY)
        found = (_policy_in(member, below(at, name)) for name, member in value.items())
        return next((place for place in found if place is not None), None)
    return None


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
