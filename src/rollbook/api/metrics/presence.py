"""Metrics of who is present: heartbeats, the leases that they give, and silences."""

from rollbook.api.metrics.rows import Metric

PRESENCE = (
    Metric(
        "rollbook_heartbeats_total",
        "counter",
        "Heartbeats that were heard.",
        lambda scrape: scrape.leases.beats,
    ),
    Metric(
        "rollbook_leases",
        "gauge",
        "Clusters that have sent a heartbeat, by what their heartbeats say, to within a second: alive; late after half "
        "of the lease; silent after all of it; unknown while the registry does not know, as after a start.",
        lambda scrape: scrape.leases.states,
        ("state",),
    ),
    Metric(
        "rollbook_leases_flapping",
        "gauge",
        "Clusters that fell silent or came back at least four times within the last ten minutes.",
        lambda scrape: scrape.leases.flapping,
    ),
    Metric(
        "rollbook_silences_held",
        "gauge",
        "1 while silences are not written into documents for this cause, such as a silence of many clusters at once; "
        "else 0.",
        lambda scrape: {cause: float(is_held) for cause, is_held in scrape.leases.holding.items()},
        ("cause",),
    ),
    Metric(
        "rollbook_holds_total",
        "counter",
        "How often the registry began not to write silences into documents, by cause.",
        lambda scrape: scrape.leases.holds,
        ("cause",),
    ),
    Metric(
        "rollbook_silences_marked_total",
        "counter",
        "Silences that the registry wrote into the document of a cluster.",
        lambda scrape: scrape.leases.marked,
    ),
    Metric(
        "rollbook_statuses_restored_total",
        "counter",
        "Former statuses that the registry wrote back when heartbeats returned.",
        lambda scrape: scrape.leases.restored,
    ),
)
