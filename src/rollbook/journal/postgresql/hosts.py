"""Which of several hosts is asked first: the one that took writes last.

A host that gives no answer at all is waited for; without this, every connection would wait for it again.
"""

from collections.abc import Mapping
from typing import Any

_LATEST: dict[str, tuple[str, str]] = {}


def in_order(target: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a connection string, with the host first that took writes last."""
    hosts = _hosts(parameters)
    latest = _LATEST.get(target)
    if latest not in hosts or "hostaddr" in parameters:
        return dict(parameters)
    first = hosts.index(latest)
    turned = [*hosts[first:], *hosts[:first]]
    return {**parameters, "host": ",".join(host for host, _ in turned), "port": ",".join(port for _, port in turned)}


def remember(target: str, host: str, port: int) -> None:
    """This host takes writes."""
    _LATEST[target] = host, str(port)


def _hosts(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or "5432").split(",")
    return list(zip(hosts, ports if len(ports) == len(hosts) else ports[:1] * len(hosts), strict=True))
