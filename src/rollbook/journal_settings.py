"""The settings that say where the journal is, how much of it is kept, and where its backups go."""

from rollbook.setting_values import Setting, journal_target, maybe_directory, whole_number

JOURNAL_SETTINGS = (
    Setting(
        "journal",
        "ROLLBOOK_JOURNAL",
        journal_target,
        "Where the journal is: `embedded` in the data directory, or in the PostgreSQL database that a connection "
        "string (`postgresql://...`) leads to, for [many processes](../guides/running-many.md).",
    ),
    Setting(
        "journal_seconds",
        "ROLLBOOK_JOURNAL_SECONDS",
        whole_number(1, 300),
        "How long a write to PostgreSQL is tried before it is refused (503).",
    ),
    Setting(
        "history_days",
        "ROLLBOOK_HISTORY_DAYS",
        whole_number(1, 36_500),
        "How many days the history of clusters goes back at most.",
    ),
    Setting(
        "history_changes",
        "ROLLBOOK_HISTORY_CHANGES",
        whole_number(1, 1_000_000_000),
        "How many changes the history of all clusters holds at most.",
    ),
    Setting(
        "history_bytes",
        "ROLLBOOK_HISTORY_BYTES",
        whole_number(1_024, 1024 * 1024 * 1024 * 1024),
        "How many bytes the history of all clusters takes at most.",
    ),
    Setting(
        "backup_dir",
        "ROLLBOOK_BACKUP_DIR",
        maybe_directory,
        "Where a running server keeps backups of itself; `none`: nowhere. Of several processes the keeper makes them.",
    ),
    Setting(
        "backup_every",
        "ROLLBOOK_BACKUP_EVERY",
        whole_number(1, 366 * 24 * 60 * 60),
        "How many seconds lie between two of these backups.",
    ),
    Setting(
        "backup_keep",
        "ROLLBOOK_BACKUP_KEEP",
        whole_number(1, 10_000),
        "How many of these backups are kept; the oldest ones are removed.",
    ),
)
