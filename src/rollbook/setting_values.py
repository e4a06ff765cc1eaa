"""The values of settings, and how each is read from text.

One rule: a reader raises ValueError with the words that follow "must be".
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct

from rollbook.addresses import is_address, without_passwords

Security: TypeAlias = Literal["enforce", "observe"]

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")
ROLE = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
EVERY_NETWORK = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


class Setting(Struct, frozen=True):
    """One thing that can be set: the field of Settings (or of Limits) that it fills, and how its text is read.

    ``parse`` raises ValueError with the words that follow "must be". ``may_be_empty``: an empty variable sets the empty
    text, instead of nothing.
    """

    name: str
    variable: str
    parse: Callable[[str], object]
    meaning: str
    may_be_empty: bool = False


class AllowedNetworks(Struct, frozen=True):
    """Networks that are not public and may be reached all the same. As text: ``refuse``, ``allow``, or a list."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)

    def __str__(self) -> str:
        words = {(): "refuse", EVERY_NETWORK: "allow"}
        return words.get(self.networks) or ",".join(map(str, self.networks))


class Authorities(Struct, frozen=True):
    """The certificate authorities that are believed: those in a file; None: those of the system."""

    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file or "system")


class TrustedNetworks(AllowedNetworks, frozen=True):
    """Networks whose machines are believed. As text: ``none``, or a list."""

    def __str__(self) -> str:
        return ",".join(map(str, self.networks)) or "none"


class AnonymousRoles(Struct, frozen=True):
    """The roles of callers who show no identity, each with the network that they ask from. As text: ``none``, or a list
    such as ``legacy@10.0.0.0/8``.
    """

    roles: tuple[tuple[str, IPv4Network | IPv6Network], ...] = ()

    def __str__(self) -> str:
        return ",".join(f"{role}@{network}" for role, network in self.roles) or "none"


class HostNames(frozenset[str]):
    """Names of hosts, in lower case. As text: ``none``, or a list."""

    def __str__(self) -> str:
        return ",".join(sorted(self)) or "none"


class Origins(frozenset[str]):
    """Origins of web pages. As text: ``none``, or a list."""

    def __str__(self) -> str:
        return ",".join(sorted(self)) or "none"


class SecretFile(Struct, frozen=True):
    """A file that holds a secret, on one line. As text: its name, or ``none``; never the secret."""

    file: Path | None = None

    def read(self) -> str | None:
        """The secret; None where there is no file."""
        return self.file.read_text("ascii").strip() if self.file is not None else None

    def __str__(self) -> str:
        return str(self.file or "none")


class OptionalFile(Struct, frozen=True):
    """A file, or none. As text: its name, or ``none``."""

    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file or "none")


class JournalTarget(Struct, frozen=True):
    """Where the journal is: in the data directory, or where a connection string leads. As text: never a password."""

    url: str = ""

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the same journal."""
        return bool(self.url)

    def __str__(self) -> str:
        return without_passwords(self.url) or "embedded"


class OnOff(Struct, frozen=True):
    """A switch. As text: ``on`` or ``off``."""

    is_on: bool = False

    def __bool__(self) -> bool:
        return self.is_on

    def __str__(self) -> str:
        return "on" if self.is_on else "off"


class MaybeDirectory(Struct, frozen=True):
    """A directory, or none."""

    path: Path | None = None

    def __str__(self) -> str:
        return "none" if self.path is None else str(self.path)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads an integer from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"an integer from {least} to {most}")

    return parse


def host_name(text: str) -> str:
    """Reads the name or address of a network interface."""
    if not text or any(character.isspace() or character in "/@" for character in text):
        raise ValueError("a host name or an IP address, such as 127.0.0.1")
    return text.removeprefix("[").removesuffix("]")


def directory(text: str) -> Path:
    """Reads the path of a directory, which need not exist yet. What begins like an address is none."""
    if is_address(text):
        raise ValueError("a directory; a registry in PostgreSQL is named by ROLLBOOK_JOURNAL or --journal")
    if not text or (Path(text).exists() and not Path(text).is_dir()):
        raise ValueError("a directory")
    return Path(text)


def maybe_directory(text: str) -> MaybeDirectory:
    """Reads the path of a directory, or ``none``."""
    return MaybeDirectory() if text == "none" else MaybeDirectory(directory(text).absolute())


def secret_file(text: str) -> SecretFile:
    """Reads the name of a file that holds a secret, which has to be there now."""
    if text == "none":
        return SecretFile()
    found = SecretFile(Path(text).absolute())
    try:
        secret = found.read() or ""
    except (OSError, ValueError) as error:
        raise ValueError(f"none, or a readable file that holds a token ({type(error).__name__})") from None
    if not SECRET.fullmatch(secret):
        raise ValueError("a file with one token of at least 32 letters, digits and -._~+/ characters")
    return found


def journal_target(text: str) -> JournalTarget:
    """``embedded``, or a connection string of PostgreSQL."""
    if text == "embedded":
        return JournalTarget()
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("embedded, or a connection string that begins with postgresql://")
    return JournalTarget(text)


def optional_file(text: str) -> OptionalFile:
    """Reads the name of a file, which has to be there now."""
    if text == "none":
        return OptionalFile()
    if not Path(text).is_file():
        raise ValueError("none, or the name of a file")
    return OptionalFile(Path(text).absolute())


def one_of(words: Any) -> Callable[[str], str]:
    """Reads one of the words of a Literal."""

    def parse(text: str) -> str:
        if text not in get_args(words):
            raise ValueError(" or ".join(get_args(words)))
        return text

    return parse


def allowed_networks(text: str) -> AllowedNetworks:
    """Reads which networks are allowed."""
    words = {"refuse": (), "allow": EVERY_NETWORK}
    try:
        return AllowedNetworks(words[text] if text in words else tuple(map(ip_network, text.split(","))))
    except ValueError:
        raise ValueError("refuse, allow, or networks such as 10.0.0.0/8,fd00::/8") from None


def authorities(text: str) -> Authorities:
    """Reads whose certificates are believed: ``system``, or the name of a PEM file, which has to be readable now."""
    from ssl import create_default_context  # which takes long to import, and few registries set it

    if text == "system":
        return Authorities()
    try:
        create_default_context(cafile=text)
    except (OSError, ValueError) as error:
        raise ValueError(f"system, or a readable PEM file of certificates ({error})") from None
    return Authorities(Path(text).absolute())


def status(text: str) -> str:
    """Reads a status of clusters."""
    if not text or not text.isprintable() or len(text) > 100:
        raise ValueError("a text of 1 to 100 printable characters")
    return text


def trusted_networks(text: str) -> TrustedNetworks:
    """Reads which networks are trusted."""
    try:
        return TrustedNetworks(() if text == "none" else tuple(ip_network(each.strip()) for each in text.split(",")))
    except ValueError:
        raise ValueError("none, or networks such as 10.0.0.0/8,fd00::/8") from None


def anonymous_roles(text: str) -> AnonymousRoles:
    """Reads which roles addresses have. Whether there are such roles is seen when the store of roles is open."""
    try:
        pairs = [each.strip().partition("@") for each in text.split(",")] if text != "none" else []
        roles = tuple((role, ip_network(network)) for role, _, network in pairs)
    except ValueError:
        roles = (("", EVERY_NETWORK[0]),)
    if not all(ROLE.fullmatch(role) for role, _ in roles):
        raise ValueError("none, or roles of networks such as legacy@10.0.0.0/8,reader@fd00::/8")
    return AnonymousRoles(roles)


def host_names(text: str) -> HostNames:
    """Reads a list of host names."""
    names = [] if text == "none" else [name.strip().lower().removesuffix(".") for name in text.split(",")]
    if not all(HOST_NAME.fullmatch(name) for name in names):
        raise ValueError("host names without ports, such as registry.example.com,rollbook")
    return HostNames(names)


def origins(text: str) -> Origins:
    """Reads a list of origins."""
    found = [] if text == "none" else [each.strip().lower() for each in text.split(",")]
    if not all(ORIGIN.fullmatch(origin) for origin in found):
        raise ValueError("none, or origins such as https://console.example.com,http://localhost:5173")
    return Origins(found)


def switch(text: str) -> OnOff:
    """Reads ``on`` or ``off``."""
    if text.lower() not in ("on", "off"):
        raise ValueError("on or off")
    return OnOff(text.lower() == "on")
