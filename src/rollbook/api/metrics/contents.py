"""Metrics of what the registry holds, in memory and on the disk, and of what is written into it."""

from rollbook import __version__
from rollbook.api.metrics.rows import Metric, Scrape, Values


def memory_per_cluster(scrape: Scrape) -> Values:
    """All memory of the process, shared out among the clusters."""
    clusters = len(scrape.registry.view)
    return scrape.resident_bytes / clusters if scrape.resident_bytes and clusters else None


CONTENTS = (
    Metric(
        "rollbook_build_info",
        "gauge",
        "Always 1; the label is the version of Rollbook that runs.",
        lambda scrape: {__version__: 1},
        ("version",),
    ),
    Metric(
        "rollbook_clusters",
        "gauge",
        "The number of clusters.",
        lambda scrape: len(scrape.registry.view),
    ),
    Metric(
        "rollbook_revision",
        "gauge",
        "The newest revision: the number of changes since the registry was created.",
        lambda scrape: scrape.registry.view.revision,
    ),
    Metric(
        "rollbook_document_bytes",
        "gauge",
        "How large the documents of all clusters are together, as JSON in memory.",
        lambda scrape: scrape.registry.view.body_bytes,
    ),
    Metric(
        "rollbook_memory_per_cluster_bytes",
        "gauge",
        "The resident memory of the process divided by the number of clusters: documents, index and the program, so it "
        "says little about a small fleet. Absent without clusters.",
        memory_per_cluster,
    ),
    Metric(
        "rollbook_backup_age_seconds",
        "gauge",
        "How old the newest scheduled backup is. Absent where there is none.",
        lambda scrape: scrape.registry.backups.age_seconds,
    ),
    Metric(
        "rollbook_clock_doubted",
        "gauge",
        "1 while the system's clock is too far ahead of the time that was last known to be believed; see `/readyz`.",
        lambda scrape: scrape.registry.clock.problem is not None,
    ),
    Metric(
        "rollbook_index_snapshot_revision",
        "gauge",
        "The revision of the newest snapshot of the index on the disk; a start follows the changes after it. 0: none.",
        lambda scrape: scrape.registry.view.snapshot_revision,
    ),
    Metric(
        "rollbook_index_snapshot_failures_total",
        "counter",
        "Snapshots of the index that could not be written. Nothing is lost by that, but a start takes longer.",
        lambda scrape: scrape.registry.view.snapshot_failures,
    ),
)

JOURNAL = (
    Metric(
        "rollbook_journal_writable",
        "gauge",
        "1 when writes reach the disk; 0 when the last ones were refused with 503, or the journal can't be written.",
        lambda scrape: (scrape.registry.journal.problem or scrape.registry.committer.problem) is None,
    ),
    Metric(
        "rollbook_journal_data_bytes",
        "gauge",
        "The size of the journal's file on the disk: all documents and the history that is kept.",
        lambda scrape: None if scrape.size is None else scrape.size.data_bytes,
    ),
    Metric(
        "rollbook_journal_log_bytes",
        "gauge",
        "The size of the journal's write-ahead log. It stays below about 128 MiB unless long reads hold it up.",
        lambda scrape: None if scrape.size is None else scrape.size.log_bytes,
    ),
    Metric(
        "rollbook_journal_free_bytes",
        "gauge",
        "How many bytes the process may still write to the file system that holds the journal. Absent for a journal "
        "that is in no directory of this machine.",
        lambda scrape: None if scrape.size is None else scrape.size.free_bytes,
    ),
    Metric(
        "rollbook_journal_sync_duration_seconds",
        "histogram",
        "How long it took until the disk, or the database, had a batch for good: the last step of an append.",
        lambda scrape: scrape.registry.journal.syncs.durations,
    ),
    Metric(
        "rollbook_history_changes",
        "gauge",
        "The number of changes that the history keeps.",
        lambda scrape: scrape.registry.view.revision - scrape.registry.compactor.mark,
    ),
    Metric(
        "rollbook_history_compacted_revision",
        "gauge",
        "Changes up to this revision are no longer kept, for they are beyond the retention. 0: all are kept.",
        lambda scrape: scrape.registry.compactor.mark,
    ),
    Metric(
        "rollbook_history_compacted_changes_total",
        "counter",
        "Changes that compaction deleted from the history.",
        lambda scrape: scrape.registry.compactor.given_up,
    ),
    Metric(
        "rollbook_history_compaction_failing",
        "gauge",
        "1 when the last attempt to give up the oldest changes failed, and the journal keeps growing; else 0.",
        lambda scrape: scrape.registry.compactor.problem is not None,
    ),
)

WRITES = (
    Metric(
        "rollbook_commits_total",
        "counter",
        "Batches of changes that were made durable, each with one sync of the disk.",
        lambda scrape: scrape.registry.committer.counts.commits,
    ),
    Metric(
        "rollbook_commit_duration_seconds",
        "histogram",
        "How long a batch took from its first decision until it was durable and visible.",
        lambda scrape: scrape.registry.committer.counts.durations,
    ),
    Metric(
        "rollbook_commit_batch_commands",
        "histogram",
        "How many commands a batch decided: those that came while the batch before it was written.",
        lambda scrape: scrape.registry.committer.counts.batches,
    ),
    Metric(
        "rollbook_commit_failures_total",
        "counter",
        "Batches that the disk refused; nothing of them was written, and their writers were answered with 503.",
        lambda scrape: scrape.registry.committer.counts.failures,
    ),
    Metric(
        "rollbook_commit_conflicts_total",
        "counter",
        "Batches that were decided anew, because another process had written to the journal first.",
        lambda scrape: scrape.registry.committer.counts.conflicts,
    ),
    Metric(
        "rollbook_commands_beside_queue_total",
        "counter",
        "Costly writes that were decided beside the queue, so that they hold up no other writer.",
        lambda scrape: scrape.registry.committer.counts.beside,
    ),
    Metric(
        "rollbook_task_restarts_total",
        "counter",
        "Background tasks that ended by a fault and were started again, by their name; the log says why.",
        lambda scrape: dict(scrape.registry.supervisor.restarts),
        ("task",),
    ),
    Metric(
        "rollbook_changes_total",
        "counter",
        "Changes of clusters that were made durable, by what happened.",
        lambda scrape: scrape.registry.committer.counts.changes,
        ("kind",),
    ),
    Metric(
        "rollbook_commands_total",
        "counter",
        "Writes of clusters that were asked for, by what became of them: changed; unchanged, for there was nothing to "
        "change; refused by a rule; failed, for the disk or a fault prevented them.",
        lambda scrape: scrape.registry.committer.counts.commands,
        ("result",),
    ),
    Metric(
        "rollbook_commands_waiting",
        "gauge",
        "Writes that wait in the queue until the batch under way is on the disk.",
        lambda scrape: scrape.registry.committer.waiting,
    ),
)
