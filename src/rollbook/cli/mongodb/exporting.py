"""What ``rollbook export --to`` writes: a collection of the original, or a file for its tools, verified afterwards.

One rule: what the collection has already, the same, is not written again; so the command goes on where it was stopped.
Documents of the collection that the registry does not have stay there, and are counted. A file gets its name when it
is whole.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import bson
from bson.raw_bson import RawBSONDocument
from msgspec import Struct
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from rollbook.cli.files import STANDARD, writing
from rollbook.cli.mongodb.collections import Opened, is_address, opened, reported
from rollbook.cli.mongodb.extended_json import extended_of
from rollbook.cli.mongodb.sources import Named, open_source
from rollbook.cli.mongodb.values import Notes, decode_bson, digest_of, encode_bson
from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document
from rollbook.errors import RegistryError, SettingRefused
from rollbook.limits import Limits


class Exported(Struct):
    """How an export went. ``others``: documents of the collection that the registry does not have."""

    written: int = 0
    there: int = 0
    refused: int = 0
    others: int = 0

    def __str__(self) -> str:
        return f"{self.written} exported, {self.there} there already, {self.refused} refused"


class Written(Struct, frozen=True):
    """A document of the collection: its ``_id`` and the digest of the rest."""

    own_id: Any
    digest: bytes


class ExportTarget(Protocol):
    """Where documents are written to. Methods block, and one thread calls them."""

    exported: Exported

    def prepare(self) -> None:
        """Read what is there already."""
        ...

    def put(self, bodies: list[bytes]) -> list[tuple[str, RegistryError]]:
        """Write documents, in the JSON of the registry; the ids of those that were refused, and why."""
        ...

    def verify(self, digests: Mapping[str, bytes]) -> list[str]:
        """Read what was written; the ids of these documents, by their digests, that are not there as they should be."""
        ...


class CollectionWriter:
    """Makes a collection hold the documents of a registry."""

    def __init__(self, there: Opened, *, limits: Limits) -> None:
        self._there = there
        self._limits = limits
        self._written: dict[str, Written] = {}
        self.exported = Exported()

    def prepare(self) -> None:
        """See ``ExportTarget.prepare``. Makes the unique index of ``id``, as mongoose does."""
        with reported(self._there.where):
            self._there.collection.create_index("id", unique=True)
        self._written = self._read()

    def put(self, bodies: list[bytes]) -> list[tuple[str, RegistryError]]:
        """See ``ExportTarget.put``."""
        refused: list[tuple[str, RegistryError]] = []
        steps: list[Any] = []
        ids: list[str] = []
        for document in map(decode_stored, bodies):
            id = str(document["id"])
            written = self._written.get(id)
            if written is not None and written.digest == digest_of(document):
                self.exported.there += 1
                continue
            try:
                steps.append(_step(document, written))
                ids.append(id)
            except RegistryError as error:
                refused.append((id, error))
        failed = self._write(steps, ids)
        self.exported.written += len(ids) - len(failed)
        return refused + failed

    def verify(self, digests: Mapping[str, bytes]) -> list[str]:
        """See ``ExportTarget.verify``."""
        written = self._read()
        self.exported.others = len(written.keys() - digests.keys())
        return [id for id, digest in digests.items() if id not in written or written[id].digest != digest]

    def _write(self, steps: list[Any], ids: list[str]) -> list[tuple[str, RegistryError]]:
        if not steps:
            return []
        with reported(self._there.where):
            try:
                self._there.collection.bulk_write(steps, ordered=False)
            except BulkWriteError as error:
                failed = (error.details or {}).get("writeErrors", [])
                return [(ids[each["index"]], RegistryError(f"MongoDB answers: {each['errmsg']}")) for each in failed]
        return []

    def _read(self) -> dict[str, Written]:
        found: dict[str, Written] = {}
        for body in self._there.documents():
            document = decode_bson(body, limits=self._limits, notes=Notes())
            if "id" in document:
                own_id = bson.decode(body)["_id"]
                found[str(document["id"])] = Written(own_id, digest_of(document))
        return found


def _step(document: Document, written: Written | None) -> Any:
    """What writes a document. One that is there keeps its ``_id``, by which every server finds it quickly."""
    if written is None:
        return InsertOne(RawBSONDocument(encode_bson(document)))
    encoded = bson.decode(encode_bson(document))
    return ReplaceOne({"_id": written.own_id}, {**encoded, "_id": written.own_id})


class FileWriter:
    """Writes a file for ``mongoimport`` (extended JSON) or ``mongorestore`` (BSON, where its name says so)."""

    def __init__(self, file: str, *, canonical: bool, limits: Limits) -> None:
        self._path = Path(file)
        self._part = self._path.with_name(f"part-{self._path.name}")
        self._limits = limits
        self._canonical = canonical
        self._is_bson = self._path.name.removesuffix(".gz").removesuffix(".zst").endswith(".bson")
        self._writing = ExitStack()
        self._out = self._writing.enter_context(writing(str(self._part)))
        self.exported = Exported()

    def prepare(self) -> None:
        """See ``ExportTarget.prepare``: nothing is there."""

    def put(self, bodies: list[bytes]) -> list[tuple[str, RegistryError]]:
        """See ``ExportTarget.put``."""
        refused: list[tuple[str, RegistryError]] = []
        for document in map(decode_stored, bodies):
            try:
                self._out.write(self._encoded(document))
                self.exported.written += 1
            except RegistryError as error:
                refused.append((str(document["id"]), error))
        return refused

    def verify(self, digests: Mapping[str, bytes]) -> list[str]:
        """See ``ExportTarget.verify``. A file that is whole gets its name."""
        self._writing.close()
        with open_source(Named(str(self._part)), limits=self._limits) as source:
            documents = (line.content for line in source.lines if isinstance(line.content, dict))
            read = {str(document["id"]): digest_of(document) for document in documents}
        missing = [id for id, digest in digests.items() if read.get(id) != digest]
        if not missing:
            with self._part.open("rb") as written:
                os.fsync(written.fileno())
            self._part.rename(self._path)
        return missing

    def close(self) -> None:
        """Remove what did not get its name."""
        self._writing.close()
        self._part.unlink(missing_ok=True)

    def _encoded(self, document: Document) -> bytes:
        return encode_bson(document) if self._is_bson else extended_of(document, canonical=self._canonical) + b"\n"


@contextmanager
def open_target(named: Named, *, canonical: bool, limits: Limits) -> Iterator[ExportTarget]:
    """What is written: the collection at a connection string, or a file."""
    if is_address(named.place):
        with opened(named.place, database=named.database, collection=named.collection) as there:
            yield CollectionWriter(there, limits=limits)
        return
    if named.place == STANDARD:
        raise SettingRefused("--to names a file or a MongoDB: what was written is read again")
    writer = FileWriter(named.place, canonical=canonical, limits=limits)
    try:
        yield writer
    finally:
        writer.close()
