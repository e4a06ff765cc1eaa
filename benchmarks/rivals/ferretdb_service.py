"""The service of rival ``ferretdb``: PyMongo's asynchronous client, and what MongoDB's language says, passed on."""

import os
from typing import Any

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.errors import PyMongoError

app = FastAPI()
clusters = AsyncMongoClient[dict[str, Any]](os.environ["DATABASE"])["registry"]["clusters"]
WITHOUT_ID = {"_id": 0}


@app.get("/clusters/{id}")
async def read(id: str) -> Response:
    """The document."""
    return only(await clusters.find_one({"_id": id}, WITHOUT_ID))


@app.put("/clusters/{id}")
async def update(id: str, request: Request) -> Response:
    """The document after the update."""
    body = orjson.loads(await request.body())
    after = await clusters.find_one_and_update({"_id": id}, body, return_document=ReturnDocument.AFTER)
    return only({name: value for name, value in after.items() if name != "_id"} if after else None)


@app.post("/clusters/query")
async def query(request: Request) -> Response:
    """The documents that match."""
    found = await clusters.find(orjson.loads(await request.body()), WITHOUT_ID).to_list()
    return json_response(found)


@app.post("/clusters/aggregate")
async def aggregate(request: Request) -> Response:
    """What comes out of the pipeline."""
    rows = await clusters.aggregate(orjson.loads(await request.body()))
    return json_response(await rows.to_list())


@app.exception_handler(PyMongoError)
async def refused(request: Request, error: PyMongoError) -> Response:
    """What the database can't do."""
    return Response(str(error).partition(", full error")[0], 501)


def only(document: dict[str, Any] | None) -> Response:
    """The document; 404 when there is none."""
    if document is None:
        raise HTTPException(404)
    return json_response(document)


def json_response(value: Any) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(value), media_type="application/json")
