"""The operations that answer with tables: columns of values instead of documents."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import CSV, JSON, NDJSON, Answer, Body, Operation, reference
from rollbook.api.handlers.queries import MOMENT, NOTED, OF_FILTERS
from rollbook.api.paging import CURSOR, PAGE_HEADERS, page_headers
from rollbook.api.parameters import moment_of
from rollbook.limits import budget_from_now
from rollbook.registry.listing.node_tables import KEYS as NODE_KEYS
from rollbook.registry.listing.node_tables import parse_node_table
from rollbook.registry.listing.rendering import as_columns, as_csv, as_lines
from rollbook.registry.listing.table_requests import KEYS, parse_table
from rollbook.registry.listing.tables import Table


async def table_of_clusters(request: Request) -> Response:
    """The columns that are asked for of the clusters that match."""
    registry, moment = registry_of(request), moment_of(request)
    asked = await TABLE.of(request, limits=registry.limits, cursor=CURSOR.of(request), moment=repr(moment))
    table = await registry.tables.table(caller_of(request), asked, moment)
    response = await _rendered(request, table)
    response.headers[responses.REVISION_HEADER] = str(table.revision)
    if asked.page is not None:
        page_headers(request, response, cursor=table.cursor, total=table.count)
    return responses.warned(
        response, await registry.reader.fleet(caller_of(request)).notes_on(asked.query.undocumented, asked.query.paths)
    )


async def table_of_nodes(request: Request) -> Response:
    """The columns that are asked for of the nodes of the clusters that match."""
    registry, moment = registry_of(request), moment_of(request)
    asked = await NODE_TABLE.of(request, limits=registry.limits, cursor=CURSOR.of(request), moment=repr(moment))
    table = await registry.node_tables.table(caller_of(request), asked, moment)
    response = await _rendered(request, table)
    response.headers[responses.REVISION_HEADER] = str(table.revision)
    page_headers(request, response, cursor=table.cursor, total=table.count)
    query, fleet = asked.page.query, registry.reader.fleet(caller_of(request))
    return responses.warned(response, await fleet.notes_on(query.undocumented, query.paths))


async def _rendered(request: Request, table: Table) -> Response:
    """The table in the form that ``Accept`` asks for, made on a thread."""
    registry, vary = registry_of(request), {"vary": "accept, accept-encoding"}
    threads, work = registry.reader.threads, budget_from_now(registry.limits)
    run, gather = threads.run, threads.answers.gather
    if responses.prefers(request, (NDJSON,), to=JSON):
        return responses.documents(await run(lambda: gather(as_lines(table)), work), form=responses.LINES)
    if responses.prefers(request, (CSV,), to=JSON):
        return responses.pieces_of(await run(lambda: gather(as_csv(table)), work), CSV, headers=vary)
    return Response(await run(lambda: as_columns(table), work), 200, vary, JSON)


TABLE = Body(
    parse_table,
    reference("TableRequest"),
    '`{"columns": [path, ...], "query": filter, "sort", "limit", "cursor", "maxTimeMS"}`',
    {"columns": ["id", "regionId", "gpus.count", "tags"], "query": {"status": "live"}, "sort": {"id": 1}},
    options=KEYS,
)

NODE_TABLE = Body(
    parse_node_table,
    reference("NodeTableRequest"),
    '`{"columns": [path, ...], "query": filter, "nodeQuery": filter, "limit", "cursor", "maxTimeMS"}`',
    {"columns": ["clusterId", "id", "gpus.count", "cluster.regionId"], "nodeQuery": {"gpus.count": {"$gte": 1}}},
    options=NODE_KEYS,
)

OPERATIONS = (
    Operation(
        name="tableClusters",
        method="POST",
        path="/clusters/table",
        handler=table_of_clusters,
        tag="queries",
        summary="Read columns of clusters",
        verb="read",
        parameters=(*MOMENT, CURSOR),
        headers=(headers.ACCEPT,),
        body=TABLE,
        answers=(
            Answer(
                200,
                '`{"revision", "count", "columns": {path: {"values"} or {"dictionary", "codes"} or {"dictionary", '
                '"lengths", "codes"}}}`, as [below](#tables)',
                reference("Table"),
                (*PAGE_HEADERS, *NOTED),
                (JSON, CSV, NDJSON),
            ),
        ),
        refuses=(*OF_FILTERS, errors.SortRefused, errors.CursorRefused, errors.Compacted),
    ),
    Operation(
        name="tableNodes",
        method="POST",
        path="/nodes/table",
        handler=table_of_nodes,
        tag="nodes",
        summary="Read columns of nodes",
        verb="read",
        parameters=(*MOMENT, CURSOR),
        headers=(headers.ACCEPT,),
        body=NODE_TABLE,
        answers=(
            Answer(
                200,
                "as of `POST /clusters/table`, with a row a node: a page of them, as [below](#tables)",
                reference("Table"),
                (*PAGE_HEADERS, *NOTED),
                (JSON, CSV, NDJSON),
            ),
        ),
        refuses=(*OF_FILTERS, errors.CursorRefused, errors.Compacted),
    ),
)
