"""The service of rival ``sqlite``: documents as JSONB in one table, and filters as SQL that looks at each of them.

Its handlers are plain functions, which FastAPI runs on threads; each thread has a connection of its own.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import apsw
import orjson
from fastapi import FastAPI, HTTPException, Response

from benchmarks.rivals.services import grouped_path

ARRAYS = frozenset({"tags", "clusterMetadata.countries", "gpus.modelNames"})
SETTINGS = "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; PRAGMA cache_size = -500000"
FILE = os.environ["CLUSTERS_FILE"]

app = FastAPI()
threads = threading.local()


@app.get("/clusters/{id}")
def read(id: str) -> Response:
    """The document."""
    return only(database().execute("SELECT json(document) FROM clusters WHERE id = ?", (id,)))


@app.put("/clusters/{id}")
def update(id: str, update: dict[str, dict[str, Any]]) -> Response:
    """The document after a ``$set``."""
    parameters: list[Any] = []
    for path, value in update["$set"].items():
        parameters += [f"$.{path}", orjson.dumps(value).decode()]
    edited = f"jsonb_set(document{', ?, jsonb(?)' * (len(parameters) // 2)})"
    statement = f"UPDATE clusters SET document = {edited} WHERE id = ? RETURNING json(document)"
    return only(database().execute(statement, (*parameters, id)))


@app.post("/clusters/query")
def query(filter: dict[str, Any]) -> Response:
    """The documents that match."""
    parameters: list[Any] = []
    where = " AND ".join(conditions(filter, "document", parameters)) or "TRUE"
    rows = database().execute(f"SELECT json(document) FROM clusters WHERE {where}", parameters)
    return json_response(f"[{','.join(document for (document,) in rows)}]")


@app.post("/clusters/aggregate")
def aggregate(stages: list[dict[str, Any]]) -> Response:
    """How many documents have each value."""
    statement = "SELECT document ->> ?, count(*) FROM clusters GROUP BY 1"
    rows = database().execute(statement, (f"$.{'.'.join(grouped_path(stages))}",))
    return json_response(orjson.dumps([{"_id": value, "clusters": count} for value, count in rows]))


def conditions(filter: Mapping[str, Any], column: str, parameters: list[Any]) -> Iterator[str]:
    """A term of SQL for each member of a filter; what it compares with goes to the parameters."""
    for path, operand in filter.items():
        for operator, value in (operand if isinstance(operand, dict) else {"$eq": operand}).items():
            parameters.append(f"$.{path}")
            if operator == "$elemMatch":
                inner = " AND ".join(conditions(value, "element.value", parameters))
                yield f"EXISTS (SELECT 1 FROM jsonb_each({column}, ?) AS element WHERE {inner})"
            elif path in ARRAYS:
                comparison = compared(operator, value, parameters)
                yield f"EXISTS (SELECT 1 FROM json_each({column}, ?) WHERE value {comparison})"
            else:
                yield f"{column} ->> ? {compared(operator, value, parameters)}"


def compared(operator: str, value: Any, parameters: list[Any]) -> str:
    """The comparison of SQL that an operator is."""
    if operator == "$in":
        parameters.extend(value)
        return f"IN ({', '.join('?' * len(value))})"
    parameters.append(value)
    return {"$eq": "= ?", "$gte": ">= ?"}[operator]


def only(rows: apsw.Cursor) -> Response:
    """The document of the one row; 404 when there is none."""
    for (document,) in rows:
        return json_response(str(document))
    raise HTTPException(404)


def json_response(body: str | bytes) -> Response:
    """An answer that is JSON already."""
    return Response(body, media_type="application/json")


def database() -> apsw.Connection:
    """The connection of this thread."""
    connection: apsw.Connection | None = getattr(threads, "connection", None)
    if connection is None:
        connection = threads.connection = apsw.Connection(FILE)
        connection.execute(SETTINGS)
    return connection
