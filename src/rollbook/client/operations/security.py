"""Tokens, roles, and what callers may."""

from collections.abc import Sequence
from typing import Any

from rollbook.client.calls import Call, Json, encoded, parameters_of, path_of
from rollbook.client.replies import nothing, value


def create_token(token: Json) -> Call[Json]:
    """Make a token. The answer holds its secret, which no other does."""
    return Call("POST", "/tokens", value, body=encoded(token))


def list_tokens() -> Call[list[Json]]:
    """All tokens, without their secrets."""
    return Call("GET", "/tokens", value, repeatable=True)


def read_token(id: str) -> Call[Json]:
    """One token, without its secret."""
    return Call("GET", path_of("tokens", id), value, repeatable=True)


def rotate_token(id: str, *, grace_seconds: float | None = None) -> Call[Json]:
    """Give a token a new secret, which the answer holds. The former one holds for a day, or ``grace_seconds``."""
    body = encoded({} if grace_seconds is None else {"graceSeconds": grace_seconds})
    return Call("POST", path_of("tokens", id, "rotate"), value, body=body)


def revoke_token(id: str) -> Call[None]:
    """End a token."""
    return Call("DELETE", path_of("tokens", id), nothing)


def list_roles() -> Call[list[Json]]:
    """All roles, those that are built in among them."""
    return Call("GET", "/roles", value, repeatable=True)


def read_role(name: str) -> Call[Json]:
    """One role."""
    return Call("GET", path_of("roles", name), value, repeatable=True)


def put_role(name: str, role: Json) -> Call[Json]:
    """Make a role, or replace the one of this name."""
    return Call("PUT", path_of("roles", name), value, body=encoded(role), repeatable=True)


def delete_role(name: str) -> Call[None]:
    """Delete a role."""
    return Call("DELETE", path_of("roles", name), nothing)


def read_access() -> Call[Json]:
    """Who the caller is, and what it may."""
    return Call("GET", "/access", value, repeatable=True)


def ask_access(
    verb: str, id: str | None = None, *, paths: Sequence[str] = (), subject: Json | None = None
) -> Call[Json]:
    """Whether the caller, or another ``subject``, may use a verb: at all, on a cluster, at paths of it."""
    given: dict[str, Any] = {"verb": verb, "id": id, "paths": list(paths) or None, "as": subject}
    body = encoded({name: each for name, each in given.items() if each is not None})
    return Call("POST", "/access/can", value, body=body, repeatable=True)


def audit(since: int | None = None, *, filter: Json | None = None, limit: int | None = None) -> Call[list[Json]]:
    """Entries of the audit log after sequence number ``since``, oldest first."""
    given = parameters_of(since=since, filter=filter, limit=limit)
    return Call("GET", "/audit", value, parameters=given, repeatable=True)
