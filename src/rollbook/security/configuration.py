"""The security file: who issues tokens that are believed, roles, limits, what is secret, and trusted proxies, in TOML.

Theory: the file is judged whole and by itself, without the store of tokens, so that ``rollbook security check`` finds
what a start would. First msgspec holds it against the shapes below, then each part is parsed as the API parses it.

One rule: a file is refused (SettingRefused) with the place of its first problem, or becomes one frozen value.
"""

import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path as File
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rollbook.documents.paths import Path, parse_path
from rollbook.errors import RegistryError, SettingRefused
from rollbook.security.issuer_tables import IssuerTable, parse_issuers
from rollbook.security.issuers import Issuer
from rollbook.security.limits import CallerLimits
from rollbook.security.roles import ALWAYS_SHOWN, BUILT_IN, SECRET_PATHS, Role, is_path, parse_role
from rollbook.security.tables import as_json, check_roles
from rollbook.setting_values import TrustedNetworks

FILE_BYTES_MAX = 4 * 1024 * 1024


class Configuration(Struct, frozen=True):
    """What a security file says. ``limits`` are those of a caller whose token and roles say nothing of them."""

    roles: Mapping[str, Role] = {}
    secrets: tuple[Path, ...] = SECRET_PATHS
    proxies: TrustedNetworks = TrustedNetworks()
    limits: CallerLimits = CallerLimits()
    limits_of_roles: Mapping[str, CallerLimits] = {}
    issuers: tuple[Issuer, ...] = ()


class RoleTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A role in the file: as in the API, where its name is in the address."""

    rules: list[dict[str, Any]]
    description: str = ""


PerSecond = Annotated[float, Meta(ge=0.01, le=1_000_000)]
Watches = Annotated[int, Meta(ge=0, le=1_000_000)]


class LimitsOfRole(Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of callers with a role."""

    requests_per_second: PerSecond | None = None
    watches_max: Watches | None = None

    @property
    def value(self) -> CallerLimits:
        """The limits as they are enforced."""
        return CallerLimits(self.requests_per_second, self.watches_max)


class LimitsTable(LimitsOfRole, frozen=True, forbid_unknown_fields=True):
    """The limits of callers, and of those with a role."""

    roles: dict[str, LimitsOfRole] = {}


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    trusted_proxies: list[str] = []
    secret_paths: list[str] | None = None
    roles: dict[str, RoleTable] = {}
    limits: LimitsTable = LimitsTable()
    issuers: list[IssuerTable] = []


def read_configuration(file: File) -> Configuration:
    """What a file says. Blocks. Refuses (SettingRefused) one that can't be read, or that is wrong."""
    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingRefused(f"the security file {file} can't be read: {error.strerror or error}") from None
    if len(text) > FILE_BYTES_MAX:
        raise SettingRefused(f"the security file {file} is larger than {FILE_BYTES_MAX} bytes")
    try:
        return parse_configuration(text)
    except SettingRefused as refusal:
        raise SettingRefused(f"the security file {file}: {refusal.message}") from None


def parse_configuration(text: bytes) -> Configuration:
    """What the TOML of a file says. Refuses (SettingRefused) with the place of the first problem."""
    try:
        table = msgspec.convert(tomllib.loads(text.decode()), type=Table)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingRefused(str(error).replace("`$.", "`")) from None
    roles = {name: _role(name, each) for name, each in table.roles.items()}
    known = roles.keys() | BUILT_IN.keys()
    check_roles(table.limits.roles, known, at="limits.roles")
    return Configuration(
        roles=roles,
        secrets=SECRET_PATHS if table.secret_paths is None else _paths(table.secret_paths),
        proxies=_networks(table.trusted_proxies),
        limits=table.limits.value,
        limits_of_roles={name: each.value for name, each in table.limits.roles.items()},
        issuers=parse_issuers(table.issuers, known),
    )


def _role(name: str, table: RoleTable) -> Role:
    at = f"roles.{name}"
    try:
        role = parse_role(name, as_json({"description": table.description, "rules": table.rules}, at=at))
    except SettingRefused:
        raise
    except RegistryError as refusal:
        raise SettingRefused(f"{refusal.message} - at `{at}{refusal.at.replace('/', '.')}`") from None
    return msgspec.structs.replace(role, in_file=True)


def _paths(texts: list[str]) -> tuple[Path, ...]:
    for place, text in enumerate(texts):
        if not is_path(text) or parse_path(text)[0] in ALWAYS_SHOWN:
            raise SettingRefused(f"{text!r} is no dotted path of names that can be hidden - at `secret_paths[{place}]`")
    return tuple(map(parse_path, texts))


def _networks(texts: list[str]) -> TrustedNetworks:
    for place, text in enumerate(texts):
        try:
            ip_network(text)
        except ValueError:
            raise SettingRefused(f"{text!r} is no network such as 10.0.0.0/8 - at `trusted_proxies[{place}]`") from None
    return TrustedNetworks(tuple(map(ip_network, texts)))
