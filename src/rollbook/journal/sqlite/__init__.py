"""The embedded engine: SQLite files in the data directory, one process at a time."""
