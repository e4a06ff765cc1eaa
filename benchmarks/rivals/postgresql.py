"""PostgreSQL: jsonb with a GIN index (jsonb_path_ops), behind a thin service of FastAPI and asyncpg."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals import postgres_clusters
from benchmarks.rivals.interface import Rival, Tools
from benchmarks.rivals.services import service, versions
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command, Processes

AFTER_LOADING = (
    "CREATE INDEX ON clusters USING gin (document jsonb_path_ops)",
    "VACUUM (FREEZE, ANALYZE) clusters",
    "CHECKPOINT",
)


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Copy the clusters into a table, then index it."""
    home = folder / "postgresql"
    postgres_clusters.initialise(home, tools)
    processes = Processes()
    processes.start([postgres_clusters.postgres(home, tools)], log=folder / "loading.log")
    try:
        # A quote and a delimiter that no JSON has, so that a line is a value.
        copy = rf"\copy lines FROM '{materials.file}' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
        fill = "INSERT INTO clusters SELECT document ->> 'id', document FROM lines"
        tables = (
            "CREATE UNLOGGED TABLE lines (document jsonb)",
            "CREATE TABLE clusters (id text PRIMARY KEY, document jsonb)",
        )
        postgres_clusters.run_sql(home, tools, [*tables, copy, fill, "DROP TABLE lines", *AFTER_LOADING])
    finally:
        processes.stop()


def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
    """PostgreSQL and the service."""
    home = folder / "postgresql"
    return [
        postgres_clusters.postgres(home, tools),
        service("postgresql_service", port, {"DATABASE": postgres_clusters.address(home)}),
    ]


POSTGRESQL = Rival(
    name="postgresql",
    title="FastAPI, asyncpg, PostgreSQL jsonb with GIN",
    missing=lambda tools: None if tools.postgresql else "PostgreSQL (Debian: postgresql)",
    load=load,
    commands=commands,
    version=lambda tools: f"{versions('asyncpg')} on {postgres_clusters.version(tools)}",
)
