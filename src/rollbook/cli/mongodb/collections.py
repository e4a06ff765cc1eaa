"""A collection of a MongoDB server, and what goes wrong with one in words.

One rule: an address is shown without its name and password, and an error without a stack trace. The collection is the
one that the original names, ``clusters``, in the database that the connection string names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri

from rollbook.cli.mongodb.dumps import Namespace, chosen
from rollbook.errors import PermissionDenied, RegistryError, RegistryUnreachable, SettingRefused, Unauthenticated

SCHEMES = ("mongodb://", "mongodb+srv://")
DEFAULT_NAME = "clusters"
"""The database where a connection string names none, and the collection."""

SELECTION_MS = 5_000
BATCH_DOCUMENTS = 1_000
AUTHENTICATION_FAILED, UNAUTHORIZED = (18, 8000), 13
SYSTEM_DATABASES = ("admin", "config", "local")

Raw: TypeAlias = "Collection[RawBSONDocument]"


def is_address(text: str) -> bool:
    """Whether it is a connection string of MongoDB, and not the name of a file."""
    return text.startswith(SCHEMES)


class Opened:
    """A collection that is open, and where it is, in words."""

    def __init__(self, collection: Raw, where: str) -> None:
        self.collection = collection
        self.where = where

    def documents(self) -> Iterator[bytes]:
        """The BSON of every document, in the order of ``_id``, which is that of creation."""
        with reported(self.where):
            for document in self.collection.find(sort=[("_id", 1)], batch_size=BATCH_DOCUMENTS):
                yield bytes(document.raw)

    def count(self) -> int:
        """How many documents there are, about."""
        with reported(self.where):
            return self.collection.estimated_document_count()

    def close(self) -> None:
        """End the connections, also for a thread that reads."""
        self.collection.database.client.close()


@contextmanager
def opened(address: str, *, database: str | None, collection: str, to_read: bool = False) -> Iterator[Opened]:
    """The collection at a connection string. It must be there ``to_read`` it; otherwise nothing is sent yet.

    Refuses (SettingRefused) what is no connection string, and a collection that is not there, naming those that are.
    Raises what ``reported`` does.
    """
    hosts = shown(address)
    with reported(hosts):
        client: pymongo.MongoClient[RawBSONDocument] = pymongo.MongoClient(
            address, document_class=RawBSONDocument, appname="rollbook", **_defaults(address)
        )
    with client:
        database = database or _database_in(client)
        if to_read:
            with reported(hosts):
                there = _there(client, database, collection)
            database = chosen(there, database=database, collection=collection, where=hosts).database
        named = database or DEFAULT_NAME
        yield Opened(client[named][collection], f"mongodb://{hosts}/{named}")


def _database_in(client: "pymongo.MongoClient[RawBSONDocument]") -> str | None:
    try:
        return client.get_default_database().name
    except ConfigurationError:
        return None


def _there(client: "pymongo.MongoClient[RawBSONDocument]", database: str | None, collection: str) -> list[Namespace]:
    """The collections of the database, all that its user may see; of all where this is not one."""
    if database is not None and collection in client[database].list_collection_names():
        return [Namespace(database, collection)]
    databases = [each for each in client.list_database_names() if each not in SYSTEM_DATABASES]
    return [Namespace(each, name) for each in databases for name in client[each].list_collection_names()]


def shown(address: str) -> str:
    """The hosts of a connection string, without names and passwords. Refuses (SettingRefused) what is none."""
    if address.startswith(SCHEMES[1]):  # its hosts are looked up in the DNS
        return address.removeprefix(SCHEMES[1]).rpartition("@")[2].partition("/")[0]
    try:
        return ",".join(f"{host}:{port}" if port else host for host, port in parse_uri(address)["nodelist"])
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise SettingRefused(f"this is no connection string of MongoDB: {error}") from None


@contextmanager
def reported(where: str) -> Iterator[None]:
    """Raises what PyMongo raises in the block as an error of ours."""
    try:
        yield
    except (InvalidURI, ConfigurationError) as error:
        raise SettingRefused(f"this is no connection string of MongoDB: {error}") from None
    except (ConnectionFailure, ExecutionTimeout) as error:
        raise RegistryUnreachable(f"no MongoDB answers at {where}: {_brief(error)}") from None
    except OperationFailure as error:
        if error.code in AUTHENTICATION_FAILED:
            raise Unauthenticated(f"{where} does not accept the name or the password: {_brief(error)}") from None
        if error.code == UNAUTHORIZED:
            raise PermissionDenied(f"{where} does not allow it: {_brief(error)}") from None
        raise RegistryError(f"{where} answers: {_brief(error)}") from None
    except PyMongoError as error:
        raise RegistryError(f"{where}: {_brief(error)}") from None


def _defaults(address: str) -> dict[str, Any]:
    given = address.partition("?")[2].lower()
    return {} if "serverselectiontimeoutms" in given else {"serverSelectionTimeoutMS": SELECTION_MS}


def _brief(error: Exception) -> str:
    """The first sentence: the driver adds the description of its topology, and the server its whole answer."""
    return str(error).partition(", full error:")[0].partition(", Timeout:")[0].partition(" (configured timeouts")[0]
