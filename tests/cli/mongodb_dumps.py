"""Files as MongoDB's tools write them, made with PyMongo's BSON: for tests of what reads them."""

from collections.abc import Sequence
from typing import Any

import bson
from bson import json_util
from bson.json_util import JSONMode, JSONOptions
from bson.objectid import ObjectId

TERMINATOR = b"\xff\xff\xff\xff"


def original(id: str, **fields: Any) -> dict[str, Any]:
    """A document as mongoose stores it: sparse, with ``_id`` and ``__v``."""
    return {
        "_id": ObjectId(id.encode().rjust(12, b"\0")[-12:]),
        "id": id,
        "regionId": "us-west-2",
        "nodes": {"count": 1, "nodeData": [{"id": "n1", "status": "ready"}]},
        "gpus": {"count": 2, "memory": 32768},
        "vcpus": {"count": 8},
        "memory": 1024,
        "swap": 0,
        "storage": {"disks": 1, "size": 2048},
        "network": {"interfaces": 1, "txBandwidth": 100, "rxBandwidth": 100},
        "tags": ["gpu"],
        "clusterMetadata": {"vendor": "dma", "createdBy": "admin"},
        "reputation": 4.5,
        "__v": 0,
        **fields,
    }


def extended(document: dict[str, Any], mode: JSONMode) -> str:
    """A line of ``mongoexport``."""
    return json_util.dumps(document, json_options=JSONOptions(json_mode=mode))


def bson_file(documents: Sequence[dict[str, Any]]) -> bytes:
    """``mongodump``: documents one after another."""
    return b"".join(map(bson.encode, documents))


def archive(collections: dict[tuple[str, str], Sequence[dict[str, Any]]]) -> bytes:
    """``mongodump --archive``: a header, a document for each collection, and blocks in turn of one document each."""
    prelude = bson.encode({"concurrent_collections": 4, "version": "0.1", "server_version": "7.0", "tool_version": "1"})
    for database, name in collections:
        prelude += bson.encode({"db": database, "collection": name, "metadata": "{}", "size": 0, "type": "collection"})
    blocks = b""
    for (database, name), documents in collections.items():
        for document in documents:
            header = {"db": database, "collection": name, "EOF": False, "CRC": 0}
            blocks += bson.encode(header) + bson.encode(document) + TERMINATOR
        blocks += bson.encode({"db": database, "collection": name, "EOF": True, "CRC": 1}) + TERMINATOR
    return bytes.fromhex("6de29981") + prelude + TERMINATOR + blocks
