"""The past: who changed what, of one cluster and of all."""

from typing import Literal, TypeAlias

from rollbook.client.calls import Call, parameters_of, path_of
from rollbook.client.replies import Page, page

Detail: TypeAlias = Literal["patch", "document", "both"]


def of(id: str, *, before: int | None = None, limit: int | None = None, detail: Detail | None = None) -> Call[Page]:
    """The changes of a cluster, newest first."""
    parameters = parameters_of(before=before, limit=limit, **{"as": detail})
    return Call("GET", path_of("clusters", id, "history"), page, parameters=parameters, repeatable=True)


def changes(*, since: int | None = None, limit: int | None = None, detail: Detail | None = None) -> Call[Page]:
    """The changes of all clusters after revision ``since``, oldest first."""
    parameters = parameters_of(since=since, limit=limit, **{"as": detail})
    return Call("GET", "/changes", page, parameters=parameters, repeatable=True)
