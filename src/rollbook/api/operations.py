"""The table of operations: everything that can be asked over HTTP.

One rule: the rows stand beside their handlers, a table a tag; here they are only joined.
"""

from rollbook.api.handlers import (
    about,
    access,
    audit,
    backups,
    bulk,
    clusters,
    console,
    dead_letters,
    debugging,
    filtered_writes,
    fit,
    history,
    lists,
    liveness,
    node_patches,
    nodes,
    operations,
    parser,
    patches,
    queries,
    roles,
    sessions,
    tables,
    tokens,
    validation,
    watching,
    webhooks,
)

OPERATIONS = (
    *clusters.OPERATIONS,
    *patches.OPERATIONS,
    *bulk.OPERATIONS,
    *filtered_writes.OPERATIONS,
    *validation.OPERATIONS,
    *lists.OPERATIONS,
    *queries.OPERATIONS,
    *tables.OPERATIONS,
    *fit.OPERATIONS,
    *nodes.OPERATIONS,
    *node_patches.OPERATIONS,
    *liveness.OPERATIONS,
    *watching.OPERATIONS,
    *history.OPERATIONS,
    *webhooks.OPERATIONS,
    *dead_letters.OPERATIONS,
    *parser.OPERATIONS,
    *access.OPERATIONS,
    *tokens.OPERATIONS,
    *roles.OPERATIONS,
    *sessions.OPERATIONS,
    *audit.OPERATIONS,
    *operations.OPERATIONS,
    *debugging.OPERATIONS,
    *backups.OPERATIONS,
    *about.OPERATIONS,
    *console.OPERATIONS,
)


def streamed_paths() -> frozenset[bytes]:
    """The addresses of the operations that read their bodies while they arrive."""
    return frozenset(each.path.encode() for each in OPERATIONS if each.reads_lines)


def fixed_paths(method: str) -> frozenset[bytes]:
    """The addresses that take ``method`` and hold no name: a shortcut for names leaves them to the application."""
    return frozenset(each.path.encode() for each in OPERATIONS if each.method == method and "{" not in each.path)
