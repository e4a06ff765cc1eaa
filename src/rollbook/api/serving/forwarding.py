"""Who asks, behind proxies: ``Forwarded`` (RFC 7239), ``X-Forwarded-For`` and ``X-Forwarded-Proto``.

One rule: a claim counts only as far as trusted proxies made it. The chain of addresses is read from its end, where the
nearest proxy wrote, and the first address that is not a trusted proxy's is the client's.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address

from rollbook.setting_values import AllowedNetworks

FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)', re.IGNORECASE)
PROTO = re.compile(r'(?:^|;)\s*proto\s*=\s*("[^"]*"|[^;\s]*)', re.IGNORECASE)
ADDRESS = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9A-Fa-f:.]+)")
CHAIN_MAX = 64


def client_behind(proxies: AllowedNetworks, headers: Sequence[tuple[bytes, bytes]], peer: str) -> str:
    """The address of the client for which ``peer``, a trusted proxy, forwards; ``peer`` itself when it names none."""
    client = peer
    for claim in reversed(claims_in(headers)[-CHAIN_MAX:]):
        found = ADDRESS.fullmatch(claim.strip().strip('"'))
        try:
            address = ip_address(next(filter(None, found.groups()))) if found else None
        except ValueError:
            address = None
        if address is None:  # unknown, or hidden: nothing before it can be believed
            return client
        client = str(address)
        if address not in proxies:
            return client
    return client


def scheme_behind(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """The scheme by which the client reached the nearest proxy; None when the proxy does not say."""
    forwarded = _joined(headers, b"forwarded")
    found = PROTO.search(forwarded.rpartition(",")[2]) if forwarded else None
    named = found[1] if found else _joined(headers, b"x-forwarded-proto").rpartition(",")[2]
    scheme = named.strip().strip('"').lower()
    return scheme if scheme in ("http", "https") else None


def claims_in(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """The addresses that proxies have noted, the nearest proxy's last. ``Forwarded`` wins where both are there."""
    forwarded = _joined(headers, b"forwarded")
    if forwarded:
        found = (FOR.search(element) for element in forwarded.split(","))
        return [each[1] if each else "" for each in found]
    chain = _joined(headers, b"x-forwarded-for")
    return chain.split(",") if chain else []


def _joined(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for each, value in headers if each == name)
