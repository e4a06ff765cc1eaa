"""Which texts can be the id of a cluster, and which the id of a node.

One rule: an id is part of an address. A cluster's goes into a URL path unescaped (the existing clients paste it there),
and must not be a route's word. A node's is escaped, so it may hold almost anything; but clients and proxies fold dot
segments though they are escaped (WHATWG URL, "single-dot" and "double-dot path segments"), and refuse control
characters.
"""

import re

from rollbook.limits import DEFAULT_LIMITS, Limits

RESERVED_IDS = frozenset(
    {
        "query",
        "count",
        "aggregate",
        "explain",
        "watch",
        "facets",
        "fit",
        "bulk",
        "update",
        "validate",
        "distinct",
        "table",
        "delete",
    }
)
"""The words of routes, and of some to come. A cluster that had such an id before is at ``/clusters/%64istinct``."""

_CHARACTERS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DNS_LABEL = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")


NODE_ID_LENGTH_MAX = 253

NODE_ID_PATTERN = (
    r"\A(?:[A-Za-z0-9_-][A-Za-z0-9._-]*|"  # most ids; the rest is for all others
    r"(?!(?:.*[/\\])?(?:\.|%2[eE]){1,2}(?:[/\\]|\Z))[^\x00-\x1f\x7f-\x9f\u2028\u2029]+)\Z"
)

_NODE_ID = re.compile(NODE_ID_PATTERN)


def is_node_id(id: str) -> bool:
    """Whether a text can be the id of a node: an address can carry it, and leads to that node."""
    return len(id) <= NODE_ID_LENGTH_MAX and _NODE_ID.match(id) is not None


def problem_with_id(id: str, *, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Why a text can't be a cluster's id, as a sentence; None when it can."""
    if not id:
        return "the id is empty; it needs a letter or digit at least"
    if len(id) > limits.id_length_max:
        return f"the id has {len(id)} characters; the most is {limits.id_length_max}"
    if not _CHARACTERS.fullmatch(id):
        return (
            "the id must be letters (a-z, A-Z), digits, dots, underscores and hyphens, and start with a letter or digit"
        )
    if id in RESERVED_IDS:
        return f'the id "{id}" is the name of an operation (/clusters/{id}); choose another'
    return None


def kubernetes_warning(id: str, *, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Why Kubernetes names can't be derived from an id (``<id>-controller-svc``), as a sentence; None when they can."""
    longest = limits.kubernetes_id_length_max
    if len(id) > longest:
        return f"the id has {len(id)} characters; Kubernetes names derived from it allow {longest}"
    if not _DNS_LABEL.fullmatch(id):
        return (
            f"the id is no lower-case DNS label (a-z, 0-9 and -, {longest} characters at most, a letter first): "
            "Kubernetes names can't be derived from it"
        )
    return None
