"""Ten thousand tokens: all of them hold after a start, and one more is made and ended as fast as the first."""

import sqlite3
from pathlib import Path

import httpx

from rollbook.journal.sqlite.token_schema import FILE_NAME
from rollbook.journal.sqlite.tokens import SqliteTokenStore
from rollbook.security.tokens import Token, digest_of, new_token, row_of
from tests.serving import ServerProcess

COUNT = 10_000


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_ten_thousand_tokens_hold_after_a_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    SqliteTokenStore.open(data).close()
    secrets = {f"token{number:05}": f"rbk_token{number:05}_{number:049}" for number in range(COUNT)}
    with sqlite3.connect(data / FILE_NAME) as connection:
        rows = [
            row_of(Token(id, f"t-{number}", ("reader",), digest_of(secret), number, certificates=(f"{id}.example",)))
            for number, (id, secret) in enumerate(secrets.items())
        ]
        connection.executemany("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("INSERT INTO identities VALUES (1)")
    connection.close()
    (tmp_path / "admin").write_text(admin := "a" * 40)
    with (
        ServerProcess(data, environment={"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        for number in (0, COUNT // 2, COUNT - 1):
            caller = client.get("/access", headers=bearer(secrets[f"token{number:05}"])).json()["caller"]
            assert caller == f"token:t-{number}@127.0.0.1"
        assert client.get("/access", headers=bearer(new_token("token00001"))).status_code == 401
        taken = client.post("/tokens", json={"name": "t-9999", "roles": ["reader"]}, headers=bearer(admin))
        assert taken.status_code == 409
        made = client.post("/tokens", json={"name": "one-more", "roles": ["reader"]}, headers=bearer(admin)).json()
        assert len(client.get("/tokens", headers=bearer(admin)).json()) == COUNT + 1
        assert client.get("/access", headers=bearer(made["token"])).status_code == 200
        assert client.delete("/tokens/token00000", headers=bearer(admin)).status_code == 200
        assert client.get("/access", headers=bearer(secrets["token00000"])).status_code == 401
        assert client.get("/access", headers=bearer(secrets["token00001"])).status_code == 200
