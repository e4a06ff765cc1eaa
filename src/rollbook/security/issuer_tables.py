"""The ``issuers`` of the security file, as they are written and read.

One rule: what can be seen to be wrong without asking an issuer is refused here: a key file that holds no keys, a filter
that is none, an address that is not HTTPS.
"""

from collections.abc import Collection
from pathlib import Path as File
from typing import Annotated, Any

from msgspec import Meta, Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path, parse_path
from rollbook.errors import RegistryError, SettingRefused
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.security.fetching import is_address
from rollbook.security.issuers import USUAL_ALGORITHMS, Algorithm, Binding, Issuer, KeySource
from rollbook.security.key_sets import check_extra, parse_key_set
from rollbook.security.tables import as_json, check_roles

Text = Annotated[str, Meta(min_length=1, max_length=2_000)]


class BindingTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What callers are whose claims ``filter`` matches; ``owner`` and ``clusters`` are dotted paths of claims."""

    filter: dict[str, Any]
    roles: list[str] = []
    owner: Text | None = None
    clusters: Text | None = None


class IssuerTable(Struct, frozen=True, forbid_unknown_fields=True):
    """One issuer. Its keys are at ``jwks_uri``, in ``jwks_file``, in ``keys``, or found by discovery."""

    issuer: Text
    audience: Text | Annotated[list[Text], Meta(min_length=1)]
    bindings: list[BindingTable]
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$")] = "jwt"
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = USUAL_ALGORITHMS
    jwks_uri: Text | None = None
    jwks_file: Text | None = None
    keys: list[dict[str, Any]] | None = None
    ca_file: Text | None = None
    token_file: Text | None = None
    leeway_seconds: Annotated[float, Meta(ge=0, le=300)] = 30.0


def parse_issuers(tables: list[IssuerTable], roles: Collection[str]) -> tuple[Issuer, ...]:
    """The issuers in force. ``roles`` are the names that bindings may give. Refuses (SettingRefused) with the place."""
    if tables:
        check_extra()
    for member in ("issuer", "name"):
        values = [getattr(table, member) for table in tables]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise SettingRefused(f"two issuers have the {member} {twice!r}: give each one of its own - at `issuers`")
    return tuple(_issuer(table, roles, at=f"issuers[{place}]") for place, table in enumerate(tables))


def _issuer(table: IssuerTable, roles: Collection[str], *, at: str) -> Issuer:
    return Issuer(
        name=table.name,
        url=table.issuer,
        audiences=(table.audience,) if isinstance(table.audience, str) else tuple(table.audience),
        bindings=tuple(_binding(each, roles, f"{at}.bindings[{n}]") for n, each in enumerate(table.bindings)),
        source=_source(table, at),
        algorithms=table.algorithms,
        leeway_seconds=table.leeway_seconds,
    )


def _source(table: IssuerTable, at: str) -> KeySource:
    given = [name for name in ("jwks_uri", "jwks_file", "keys") if getattr(table, name) is not None]
    if len(given) > 1:
        raise SettingRefused(f"{' and '.join(map(repr, given))} exclude each other - at `{at}`")
    address = table.jwks_uri if given else table.issuer
    if address is not None and not is_address(address):
        name = "jwks_uri" if given else "issuer"
        raise SettingRefused(
            f"keys are fetched from addresses that begin with https:// (or from this machine) - at `{at}.{name}`"
        )
    try:
        if table.jwks_file is not None:
            parse_key_set(File(table.jwks_file).read_bytes())
        if table.ca_file is not None:
            File(table.ca_file).read_bytes()
        inline = (
            None if table.keys is None else parse_key_set(encode_json(as_json({"keys": table.keys}, at=f"{at}.keys")))
        )
    except OSError as error:
        raise SettingRefused(f"{error.filename}: {error.strerror} - at `{at}`") from None
    except SettingRefused:
        raise
    except RegistryError as refusal:
        raise SettingRefused(f"{refusal.message} - at `{at}.{given[0]}`") from None
    files = (File(name) if name is not None else None for name in (table.jwks_file, table.ca_file, table.token_file))
    file, authorities, token = files
    return KeySource(table.jwks_uri, file, inline, authorities, token)


def _binding(table: BindingTable, roles: Collection[str], at: str) -> Binding:
    check_roles(table.roles, roles, at=f"{at}.roles")
    try:
        holds = compile_filter(parse_filter(as_json(table.filter, at=f"{at}.filter"), at=""))
    except SettingRefused:
        raise
    except RegistryError as refusal:
        raise SettingRefused(f"{refusal.message} - at `{at}.filter{refusal.at.replace('/', '.')}`") from None
    owner, clusters = (_path(text) for text in (table.owner, table.clusters))
    return Binding(holds, tuple(table.roles), owner, clusters)


def _path(text: str | None) -> Path | None:
    return None if text is None else parse_path(text)
