"""The table of operations: everything that can be asked over HTTP.

One rule: the rows stand beside their handlers, a table a tag; here they are only joined.
"""

from rollbook.api.handlers import (
    about,
    clusters,
    dead_letters,
    history,
    liveness,
    nodes,
    operations,
    parser,
    queries,
    watching,
    webhooks,
)

OPERATIONS = (
    *clusters.OPERATIONS,
    *queries.OPERATIONS,
    *nodes.OPERATIONS,
    *liveness.OPERATIONS,
    *watching.OPERATIONS,
    *history.OPERATIONS,
    *webhooks.OPERATIONS,
    *dead_letters.OPERATIONS,
    *parser.OPERATIONS,
    *operations.OPERATIONS,
    *about.OPERATIONS,
)
