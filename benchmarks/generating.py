"""The clusters that are measured, which are those of ``rollbook demo`` without its mark.

python -m benchmarks.generating 10000 > clusters.ndjson
"""

import sys

import orjson

from rollbook.cli.demo.generating import GPU_MODELS, OWNERS, REGIONS, TAGS, Document, cluster, clusters

__all__ = ["GPU_MODELS", "OWNERS", "REGIONS", "TAGS", "Document", "cluster", "clusters"]


def main() -> None:
    for document in clusters(int(sys.argv[1]), seed=int(sys.argv[2]) if len(sys.argv) > 2 else 20260):
        sys.stdout.buffer.write(orjson.dumps(document) + b"\n")


if __name__ == "__main__":
    main()
