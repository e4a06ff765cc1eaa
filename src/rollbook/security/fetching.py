"""Fetching: the keys of an issuer, from where its key source says. Blocks; to be called from a thread.

One rule: a fetch is bounded in time and bytes and follows no redirect, and the token of a source is sent to nobody but
the addresses that the security file names.
"""

import ssl
from urllib.parse import urlsplit

from rollbook.documents.codec import decode_json
from rollbook.errors import RegistryError, RequestRefused
from rollbook.security.issuers import Issuer, KeySource
from rollbook.security.key_sets import BYTES_MAX, KeySet, parse_key_set
from rollbook.setting_values import LOOPBACK_NAMES

SECONDS_MAX = 5.0
DESCRIPTION_PATH = "/.well-known/openid-configuration"


def fetch_keys(issuer: Issuer) -> KeySet:
    """The keys of the issuer as they are now. Refuses (RequestRefused) in words for the log."""
    source = issuer.source
    if source.inline is not None:
        return source.inline
    try:
        if source.file is not None:
            return parse_key_set(source.file.read_bytes())
        address = source.address or _address_from(issuer)
        sends_token = source.address is not None or _origin(address) == _origin(issuer.url)
        return parse_key_set(_get(address, source, sends_token=sends_token))
    except OSError as error:
        raise RequestRefused(f"{error.filename or source.file}: {error.strerror or error}") from None


def is_address(text: str) -> bool:
    """Whether keys may be fetched from there: by HTTPS, or from this machine, where nobody else can answer."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_local = host in LOOPBACK_NAMES or host in ("127.0.0.1", "::1")
    return bool(host) and not parts.fragment and (parts.scheme == "https" or (parts.scheme == "http" and is_local))


def _address_from(issuer: Issuer) -> str:
    """Where the issuer's own description says that its keys are (OpenID Connect Discovery)."""
    text = _get(issuer.url.rstrip("/") + DESCRIPTION_PATH, issuer.source, sends_token=True)
    try:
        description = decode_json(text)
    except RegistryError:
        description = None
    named = description if isinstance(description, dict) else {}
    address = named.get("jwks_uri")
    if named.get("issuer") != issuer.url:
        raise RequestRefused(
            f"{issuer.url}{DESCRIPTION_PATH} describes another issuer, {str(named.get('issuer'))[:200]!r}"
        )
    if not isinstance(address, str) or not is_address(address):
        raise RequestRefused(f"{issuer.url}{DESCRIPTION_PATH} has no 'jwks_uri' that begins with https://")
    return address


def _get(address: str, source: KeySource, *, sends_token: bool) -> bytes:
    import httpx2  # which takes long to import, and few registries have issuers

    headers = {"accept": "application/json"}
    if source.token is not None and sends_token:
        headers["authorization"] = f"Bearer {source.token.read_text('ascii').strip()}"
    context = ssl.create_default_context(cafile=None if source.authorities is None else str(source.authorities))
    body = b""
    try:
        with (
            httpx2.Client(verify=context, timeout=SECONDS_MAX, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise RequestRefused(f"{address} answered {answer.status_code}")
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > BYTES_MAX:
                    raise RequestRefused(f"{address} answered more than {BYTES_MAX} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise RequestRefused(f"{address}: {error or type(error).__name__}") from None
    return body


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port
