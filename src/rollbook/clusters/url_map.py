"""``config.urlMap``: where a cluster's services are reached, filled once, at creation.

One rule: what the writer gave wins. After creation the map belongs to its writers, and nothing is filled again.
"""

from rollbook.clusters.filling import with_documented
from rollbook.clusters.schema import CONFIG, URL_MAP
from rollbook.documents.values import Document, Value


def with_url_map(document: Document) -> Document:
    """The document with the URLs that its ``publicHostname`` and ``useGateway`` give, where none are given.

    The very same document when there is nothing to fill, or no hostname to fill it from.
    """
    config = document.get("config")
    if not isinstance(config, dict):
        return document
    hostname, given = config.get("publicHostname"), config.get("urlMap", {})
    if not isinstance(hostname, str) or not hostname or not isinstance(given, dict):
        return document
    derived = urls_of(hostname, behind_gateway=config.get("useGateway") is not False)
    absent: dict[str, Value] = {name: url for name, url in derived.items() if name not in given}
    if not absent:
        return document
    url_map = with_documented(given, absent, URL_MAP)
    return {**document, "config": with_documented(config, {"urlMap": url_map}, CONFIG)}


def urls_of(hostname: str, *, behind_gateway: bool) -> dict[str, str]:
    """The URLs of the services of a cluster at ``hostname``."""
    return {
        name: f"http://{hostname}{gateway if behind_gateway else direct}"
        for name, (gateway, direct) in SERVICE_ADDRESSES.items()
    }


SERVICE_ADDRESSES = {
    "controllerService": (":32000/controller", ":32300"),
    "metricsService": (":32000/metrics", ":32301"),
    "blocksQuery": (":32000/blocks", ":32302"),
    "publicGateway": (":32000", ":32000"),
    "parameterUpdater": (":32000/mgmt", ":32303"),
}
"""For each service the port and path behind the gateway, and without it."""
