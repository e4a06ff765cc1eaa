"""The service of rival ``postgresql``: a filter becomes one jsonpath predicate, for the GIN index to answer."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, HTTPException, Request, Response

from benchmarks.rivals.services import grouped_path

CONNECTIONS = 16

READ = "SELECT document::text FROM clusters WHERE id = $1"
FIND = "SELECT document::text FROM clusters WHERE document @@ $1::text::jsonpath"
UPDATE = (
    "UPDATE clusters SET document = jsonb_set(document, $2, $3::text::jsonb) WHERE id = $1 RETURNING document::text"
)
COUNT = "SELECT document #>> $1 AS value, count(*) FROM clusters GROUP BY 1"


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    """With a pool of connections, while the service runs."""
    async with asyncpg.create_pool(os.environ["DATABASE"], min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=connected)


@app.get("/clusters/{id}")
async def read(id: str) -> Response:
    """The document."""
    return only(await app.state.pool.fetchval(READ, id))


@app.put("/clusters/{id}")
async def update(id: str, request: Request) -> Response:
    """The document after a ``$set`` of one path."""
    body = orjson.loads(await request.body())
    ((path, value),) = body["$set"].items()
    return only(await app.state.pool.fetchval(UPDATE, id, path.split("."), orjson.dumps(value).decode()))


@app.post("/clusters/query")
async def query(request: Request) -> Response:
    """The documents that match."""
    predicate = " && ".join(conditions(orjson.loads(await request.body()), "$")) or "true"
    rows = await app.state.pool.fetch(FIND, predicate)
    return json_response(f"[{','.join(row[0] for row in rows)}]")


@app.post("/clusters/aggregate")
async def aggregate(request: Request) -> Response:
    """How many documents have each value."""
    rows = await app.state.pool.fetch(COUNT, grouped_path(orjson.loads(await request.body())))
    return json_response(orjson.dumps([{"_id": row[0], "clusters": row[1]} for row in rows]))


def conditions(filter: Mapping[str, Any], root: str) -> Iterator[str]:
    """A term of jsonpath for each member of a filter. Its lax mode looks into arrays, as MongoDB does."""
    for path, operand in filter.items():
        place = f"{root}.{'.'.join(f'{orjson.dumps(name).decode()}' for name in path.split('.'))}"
        for operator, value in (operand if isinstance(operand, dict) else {"$eq": operand}).items():
            yield condition(place, operator, value)


def condition(place: str, operator: str, value: Any) -> str:
    """One operator on one path."""
    match operator:
        case "$elemMatch":
            return f"exists({place}[*] ? ({' && '.join(conditions(value, '@'))}))"
        case "$in":
            return f"({' || '.join(condition(place, '$eq', each) for each in value)})"
        case _:
            return f"{place} {({'$eq': '==', '$gte': '>='})[operator]} {orjson.dumps(value).decode()}"


def only(body: str | None) -> Response:
    """The document; 404 when there is none."""
    if body is None:
        raise HTTPException(404)
    return json_response(body)


def json_response(body: str | bytes) -> Response:
    """An answer that is JSON already."""
    return Response(body, media_type="application/json")
