"""Which addresses a webhook may be delivered to: those of the public internet, and what a setting allows beside them.

One rule: an address is judged as what it reaches. Where an IPv6 address carries an IPv4 address (IPv4-mapped, NAT64),
that one is judged too.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

from rollbook.setting_values import AllowedNetworks

Address: TypeAlias = IPv4Address | IPv6Address

PUBLIC_IPV6 = IPv6Network("2000::/3")
CARRYING_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


def problem_with(address: Address, allowed: AllowedNetworks) -> str | None:
    """Why nothing may be sent to ``address``; None when it may be."""
    if address in allowed:
        return None
    if isinstance(address, IPv6Address):
        if any(address in network for network in CARRYING_IPV4):
            return problem_with(IPv4Address(int(address) & 0xFFFFFFFF), allowed)
        if address not in PUBLIC_IPV6:
            return _said(address, "not a public address")
    for network, meaning in REFUSED.items():
        if address.version == network.version and address in network:
            return _said(address, meaning)
    return None


def _said(address: Address, meaning: str) -> str:
    return f"{address} is {meaning}, and ROLLBOOK_WEBHOOKS_PRIVATE does not allow it"


REFUSED: Mapping[IPv4Network | IPv6Network, str] = {
    ip_network(network): meaning
    for network, meaning in {
        "0.0.0.0/8": "an address of this machine",
        "10.0.0.0/8": "a private address",
        "100.64.0.0/10": "an address of a carrier's inner network",
        "127.0.0.0/8": "an address of this machine",
        "168.63.129.16/32": "a metadata service of a cloud",
        "169.254.0.0/16": "a link-local address",
        "172.16.0.0/12": "a private address",
        "192.0.0.0/24": "reserved",
        "192.0.2.0/24": "an address for examples",
        "192.88.99.0/24": "reserved",
        "192.168.0.0/16": "a private address",
        "198.18.0.0/15": "an address for measurements",
        "198.51.100.0/24": "an address for examples",
        "203.0.113.0/24": "an address for examples",
        "224.0.0.0/4": "a multicast address",
        "240.0.0.0/4": "reserved",
        "2001::/23": "reserved",
        "2001:db8::/32": "an address for examples",
        "2002::/16": "an address that carries another one",
        "3fff::/20": "an address for examples",
    }.items()
}
