"""Two registries that a caller can't tell apart, unless one of them answers what the caller may not see."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson

from rollbook.journal.sqlite.tokens import SqliteTokenStore
from rollbook.journal.token_store import RoleRow
from rollbook.security.tokens import Token, digest_of, new_token, row_of
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40

TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
FIGURES = re.compile(rb'"(ageSeconds|plan|find|expiresAt|lag)":[0-9.e+-]+')
SECRETS = re.compile(rb'"(secret|confirm)":"[^"]*"|cursor=[\w-]+|rbk_\w+|rollbook=[\w-]+')
UNCOMPARED = frozenset({"date", "x-request-id", "content-length"})
"""Headers that tell no registry from another; of the body, times, figures and random secrets are left out."""


class Twins:
    """The two, and clients of both. ``tokens`` by the names of their roles."""

    def __init__(self, clients: list[httpx.Client], tokens: dict[str, str]) -> None:
        self.clients = clients
        self.tokens = tokens

    def set_up(self, method: str, path: str, *bodies: Any) -> list[httpx.Response]:
        """A request of the administrator, to each with its body, which has to be accepted."""
        replies = [
            client.request(method, path, json=body, headers={"authorization": f"Bearer {ADMIN}"})
            for client, body in zip(self.clients, bodies, strict=True)
        ]
        assert all(reply.is_success for reply in replies), [reply.text for reply in replies]
        return replies

    def asked(self, role: str, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer of the one, which has to be the answer of the other."""
        headers = {"authorization": f"Bearer {self.tokens[role]}", **request.pop("headers", {})}
        one, other = (client.request(method, path, headers=headers, **request) for client in self.clients)
        assert seen(one) == seen(other), (role, method, path, request, one.text, other.text)
        assert self.revision, (role, method, path, request, one.text)
        return one

    def watched(self, role: str, method: str, path: str, **request: Any) -> list[Any]:
        """All events up to now that the one sends, or its refusal, which have to be those of the other."""
        one, other = (self._events(client, role, method, path, request) for client in self.clients)
        assert one == other, (role, method, path, request)
        return one

    def _events(self, client: httpx.Client, role: str, method: str, path: str, request: dict[str, Any]) -> list[Any]:
        newest, events = self.revision, []
        headers = {"authorization": f"Bearer {self.tokens[role]}", **request.get("headers", {})}
        parameters = {"since": newest, **request.get("params", {}), "wait": "0s"}
        while int(parameters["since"]) < newest:
            asked = {**request, "headers": headers, "params": parameters}
            reply = client.request(method, path, **asked)
            if not reply.is_success:  # a filter that is none, or that can't be evaluated: refused alike
                return [*events, seen(reply)]
            body = orjson.loads(seen(reply)[2])
            events += body["events"]
            parameters["since"] = max(body["revision"], int(parameters["since"]))
        return events

    @property
    def revision(self) -> int:
        """The newest revision, which both have."""
        one, other = (int(client.get("/version").headers["x-registry-revision"]) for client in self.clients)
        assert one == other, "a write changed something in one of the two"
        return one


def seen(reply: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """What a caller has of an answer."""
    body = SECRETS.sub(b"S", FIGURES.sub(b"F", TIMES.sub(b"T", reply.content)))
    headers = {name: value for name, value in reply.headers.items() if name not in UNCOMPARED}
    return (
        reply.status_code,
        {name: SECRETS.sub(b"S", value.encode()).decode() for name, value in headers.items()},
        body,
    )


@contextmanager
def twins(directory: Path, roles: dict[str, Any], **facts: Any) -> Iterator[Twins]:
    """Two empty registries with these roles, and for each a token of a caller with these ``facts``."""
    tokens = {name: new_token(f"{name:0>10}"[-10:].replace("-", "0")) for name in roles}
    with ExitStack() as stack:
        clients = []
        for name in ("left", "right"):
            data, secret = directory / name / "data", directory / name / "admin-token"
            data.mkdir(parents=True)
            secret.write_text(ADMIN)
            store = SqliteTokenStore.open(data)
            for role, rules in roles.items():
                store.save_role(RoleRow(role, orjson.dumps({"rules": rules}).decode()))
                token = tokens[role]
                store.save_token(row_of(Token(token[4:14], role, (role,), digest_of(token), 1, **facts)))
            store.close()
            environment = {
                "ROLLBOOK_ADMIN_TOKEN_FILE": str(secret),
                "ROLLBOOK_SCHEMA": "lenient",
                "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.1/32",
            }
            server = stack.enter_context(ServerProcess(data, environment=environment))
            clients.append(stack.enter_context(httpx.Client(base_url=server.url, timeout=20)))
        yield Twins(clients, tokens)
