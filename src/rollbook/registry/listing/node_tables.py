"""Tables of nodes: a row for each node of the clusters that match, page by page, all of one revision.

Theory: pages of clusters are turned as the list turns them, and their nodes become rows. A cursor names the cluster
behind which the next page begins, and how many nodes of the cluster after it were on pages before.

One rule: each node that was there at the revision is on exactly one page.
"""

from functools import partial

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.nodes import nodes_in
from rollbook.clusters.schema import NODE, REGISTRY_FIELD
from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.errors import CursorRefused, LanguageRefused
from rollbook.language.filters import Filter, compile_filter, parse_filter
from rollbook.limits import Limits
from rollbook.registry.history.moments import Moment
from rollbook.registry.listing.columns import Cell, Column, cell_in, column_of_cells, is_documented_list
from rollbook.registry.listing.cursors import CursorKey, digest_of
from rollbook.registry.listing.page_requests import PageRequest
from rollbook.registry.listing.pages import ClusterPage, Pages
from rollbook.registry.listing.table_requests import KEYS as TABLE_KEYS
from rollbook.registry.listing.table_requests import parse_table
from rollbook.registry.listing.tables import Table
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.security.callers import Caller
from rollbook.view.entries import Entry

KEYS = (*TABLE_KEYS, "nodeQuery")
OF_CLUSTER = "cluster"
CLUSTERS_AT_ONCE = 200


class NodeTableRequest(Struct, frozen=True):
    """A table of nodes: its columns by name, the clusters whose nodes they are, and which of these nodes.

    ``page.limit`` is the number of rows; ``page.cursor`` is one of this table's.
    """

    columns: dict[str, Path]
    page: PageRequest
    nodes: Filter | None


class NodePlace(Struct, frozen=True, array_like=True):
    """Where a page ended: the next begins behind the cluster that ``clusters`` names, a cursor of the list.

    ``seen`` nodes of the cluster after it were looked at.
    """

    clusters: str
    seen: int


def parse_node_table(body: Value, *, limits: Limits, cursor: str | None = None, moment: str = "") -> NodeTableRequest:
    """The table of a body ``{"query": filter, "nodeQuery": filter, "columns": [path, ...]}``.

    ``query`` is about clusters, ``nodeQuery`` about each of their nodes.
    """
    asked = {"cursor": None, **body} if isinstance(body, dict) else body
    node_query = asked.pop("nodeQuery", None) if isinstance(asked, dict) else None
    if isinstance(asked, dict) and asked.get("sort") is not None:
        problem = "a table of nodes is in the order of the clusters' creation and of their nodes: sort what it answers"
        raise LanguageRefused(problem, at="/sort", mongo_code=BAD_VALUE)
    table = parse_table(asked, limits=limits, cursor=cursor, moment=moment)
    assert table.page is not None, "the body has a cursor"
    nodes = None if node_query is None else parse_filter(node_query, at="/nodeQuery", limits=limits)
    digest = digest_of(table.page.digest + b"nodes" + encode_json(node_query))
    return NodeTableRequest(table.columns, replace(table.page, digest=digest), nodes)


class NodeTables:
    """Makes tables of nodes for callers."""

    def __init__(self, pages: Pages, threads: ReadingThreads, *, key: CursorKey) -> None:
        self._pages = pages
        self._threads = threads
        self._key = key.for_purpose(b"nodes")

    async def table(self, caller: Caller, asked: NodeTableRequest, moment: Moment | None = None) -> Table:
        """A page of the table; its count is that of the clusters. Refuses what ``Pages.page`` refuses."""
        place = NodePlace("", 0) if asked.page.cursor is None else self._opened(asked.page.cursor)
        rows = _Rows(asked)
        clusters = replace(asked.page, limit=CLUSTERS_AT_ONCE, cursor=place.clusters or None)
        while True:
            page = await self._pages.page(caller, clusters, moment)
            ended = await self._threads.run(partial(rows.take, page, place.seen), page.scan.work)
            if ended is not None:
                number, seen = ended
                behind = self._pages.cursor_behind(caller, clusters, page, number - 1)
                cursor = self._key.seal(msgspec.msgpack.encode(NodePlace(behind or place.clusters, seen)))
                return Table(rows.columns(), page.total, page.revision, cursor)
            if page.cursor is None:
                return Table(rows.columns(), page.total, page.revision)
            clusters, place = replace(clusters, cursor=page.cursor), NodePlace(page.cursor, 0)

    def _opened(self, cursor: str) -> NodePlace:
        content = self._key.unseal(cursor)
        if content is None:
            raise CursorRefused("this is no cursor of this table; begin again without one")
        return msgspec.msgpack.decode(content, type=NodePlace)


class _Rows:
    """The rows of a page while they are found."""

    def __init__(self, asked: NodeTableRequest) -> None:
        self._asked = asked
        self._cells: dict[str, list[Cell]] = {name: [] for name in asked.columns}
        self._count = 0
        self._with_facts = any(path[:2] == (OF_CLUSTER, REGISTRY_FIELD) for path in asked.columns.values())

    def take(self, page: ClusterPage, seen: int) -> tuple[int, int] | None:
        """Take the nodes of these clusters, but for the first ``seen`` ones.

        None when all have a row. Else which cluster has one more, and how many of its nodes were looked at.
        """
        matches = None if self._asked.nodes is None else compile_filter(self._asked.nodes, work=page.scan.work)
        for number, entry in enumerate(page.entries):
            document = page.scan.document_of(entry, with_facts=self._with_facts)
            nodes = nodes_in(document)
            for at in range(seen if number == 0 else 0, len(nodes)):
                node = nodes[at]
                if matches is not None and not (isinstance(node, dict) and matches(node)):
                    continue
                if self._count == self._asked.page.limit:
                    return number, at
                self._add(entry, document, node)
        return None

    def columns(self) -> dict[str, Column]:
        """The columns of the rows."""
        return {
            name: column_of_cells(self._cells[name], listed=_is_list(path))
            for name, path in self._asked.columns.items()
        }

    def _add(self, entry: Entry, document: Document, node: Value) -> None:
        self._count += 1
        element = node if isinstance(node, dict) else {}
        for name, path in self._asked.columns.items():
            match path:
                case ("clusterId",):
                    cell: Cell = False, [entry.id]
                case ("cluster", *rest) if rest:
                    cell = cell_in(document, tuple(rest))
                case _:
                    cell = cell_in(element, path)
            self._cells[name].append(cell)


def _is_list(path: Path) -> bool:
    """Whether the schema says that the column is one of lists."""
    if path[0] == OF_CLUSTER:
        return is_documented_list(path[1:])
    return is_documented_list(path, of=NODE)


BAD_VALUE = 2
