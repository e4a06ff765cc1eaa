"""An issuer of JSON Web Tokens for tests: real keys, and a real server for its key set."""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "rollbook"


class TestIssuer:
    """Serves ``/.well-known/openid-configuration`` and ``/jwks`` on this machine, for the length of a block.

    ``fetches`` counts the requests for keys; where ``bearer`` is set, only requests with that token are answered.
    """

    __test__ = False

    def __init__(self, *, context: ssl.SSLContext | None = None, bearer: str | None = None) -> None:
        self.keys = {"first": RSAKey.generate_key(2048, {"kid": "first"})}
        self.fetches = 0
        self.is_down = False
        self.bearer = bearer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme, host = ("http", "127.0.0.1") if context is None else ("https", "localhost")
        self.url = f"{scheme}://{host}:{self._server.server_port}"

    def rotate(self, name: str) -> None:
        """Have one key, of this name, instead of those there were."""
        self.keys = {name: ECKey.generate_key("P-256", {"kid": name})}

    def token(self, subject: str = "ci", *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token of the newest key. A claim of None is left out."""
        name, key = next(reversed(self.keys.items()))
        algorithm = "RS256" if key.key_type == "RSA" else "ES256"
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "exp": time.time() + 600, "iat": time.time()}
        claimed = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": name, **(header or {})}, claimed, key, algorithms=[algorithm])

    @property
    def key_set(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": issuer.url + "/jwks"},
                    "/jwks": issuer.key_set,
                }
                issuer.fetches += self.path == "/jwks"
                is_allowed = issuer.bearer in (None, self.headers.get("authorization", "").removeprefix("Bearer "))
                found = answers.get(self.path) if is_allowed and not issuer.is_down else None
                self.send_response(200 if found else 403)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler
