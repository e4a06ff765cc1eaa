"""Files of ``mongodump``: documents of BSON one after another, and archives of several collections.

Theory: a document begins with its length (four bytes, the least significant first), so a file that ends too early is
recognised. An archive begins with a magic number, a header, and a document for each collection; then come blocks, each
a document that names its collection, and documents of it. ``TERMINATOR`` ends the first part and every block.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import bson
from bson.errors import BSONError

from rollbook.errors import RegistryError, SettingRefused

ARCHIVE = bytes.fromhex("6de29981")
TERMINATOR = b"\xff\xff\xff\xff"
DOCUMENT_BYTES_MIN = 5
DOCUMENT_BYTES_MAX = 48 * 1024 * 1024
"""MongoDB stores 16 MiB; its tools add a little."""


class Namespace(NamedTuple):
    """A collection of a database."""

    database: str
    collection: str

    def __str__(self) -> str:
        return f"{self.database}.{self.collection}"


def begins_as_bson(first: bytes) -> bool:
    """Whether the first five bytes of a file can begin a document of BSON (those of JSON can't)."""
    if len(first) < DOCUMENT_BYTES_MIN:
        return False
    is_type = first[4] in range(0x14) or first[4] in (0x7F, 0xFF)
    return is_type and DOCUMENT_BYTES_MIN <= int.from_bytes(first[:4], "little", signed=True) <= DOCUMENT_BYTES_MAX


def read_documents(stream: BinaryIO, *, file: str) -> Iterator[bytes]:
    """Each document of a file of BSON. Raises RegistryError where the file is damaged, or ends too early."""
    number = 0
    while (prefix := stream.read(4)) != b"":
        number += 1
        yield _document(prefix, stream, file=file, what=f"document {number}")


def read_archive(stream: BinaryIO, *, file: str, database: str | None, collection: str) -> Iterator[bytes]:
    """Each document of one collection of an archive whose magic number was read.

    Refuses (SettingRefused) an archive that has no such collection, or one in each of several databases. Raises
    RegistryError as ``read_documents``.
    """
    there = [_namespace(body, file) for body in _block(stream, file)][1:]
    wanted = chosen(there, database=database, collection=collection, where=file)
    while (prefix := stream.read(4)) != b"":
        header = _document(prefix, stream, file=file, what="the header of a block")
        namespace = _namespace(header, file)
        for body in _block(stream, file):
            if namespace == wanted:
                yield body


def chosen(there: list[Namespace], *, database: str | None, collection: str, where: str) -> Namespace:
    """The collection that is meant. Refuses (SettingRefused) none and several, naming what there is."""
    found = [each for each in there if each.collection == collection and database in (None, each.database)]
    if len(found) == 1:
        return found[0]
    if found:
        databases = ", ".join(each.database for each in found)
        raise SettingRefused(f"{where} has a collection {collection} in each of {databases}: name one with --database")
    name = collection if database is None else f"{database}.{collection}"
    others = ", ".join(map(str, there[:20])) or "none"
    raise SettingRefused(
        f"{where} has no collection {name}; those that it has: {others} (see --database and --collection)"
    )


def _block(stream: BinaryIO, file: str) -> Iterator[bytes]:
    """The documents up to the next terminator."""
    while (prefix := stream.read(4)) != TERMINATOR:
        yield _document(prefix, stream, file=file, what="a document of the archive")


def _document(prefix: bytes, stream: BinaryIO, *, file: str, what: str) -> bytes:
    """The document whose length was read. Raises RegistryError when it is none, or not whole."""
    size_bytes = int.from_bytes(prefix, "little", signed=True)
    if len(prefix) == 4 and not DOCUMENT_BYTES_MIN <= size_bytes <= DOCUMENT_BYTES_MAX:
        raise RegistryError(f"{file} is damaged: {what} can't be {size_bytes} bytes long")
    body = prefix + stream.read(max(0, size_bytes - 4)) if len(prefix) == 4 else prefix
    if len(body) < size_bytes or len(prefix) < 4:
        raise RegistryError(f"{file} ends too early: {what} is not whole; copy the file again, and run this again")
    if body[-1] != 0:
        raise RegistryError(f"{file} is damaged: {what} does not end where it should")
    return body


def _namespace(body: bytes, file: str) -> Namespace:
    try:
        named = bson.decode(body)
    except (BSONError, ValueError) as error:
        raise RegistryError(f"{file} is damaged: the header of a block can't be read: {error}") from None
    return Namespace(str(named.get("db", "")), str(named.get("collection", "")))
