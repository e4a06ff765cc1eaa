"""What is kept takes as much memory as it is long, not as much as the buffer that it was written into."""

import subprocess
import sys
from pathlib import Path

KEEPING = """
from pathlib import Path
from rollbook.documents.codec import encode_to_keep

document = {"text": "x" * 4200}
pages = lambda: int(Path("/proc/self/statm").read_text().split()[1])
kept = [encode_to_keep(document) for _ in range(1000)]
before = pages()
kept += [encode_to_keep(document) for _ in range(10_000)]
print((pages() - before) * 4096 / 10_000 / len(kept[0]))
"""


def test_kept_json_takes_little_more_than_its_length() -> None:
    run = subprocess.run(
        [sys.executable, "-c", KEEPING], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert 0.9 < float(run.stdout) < 1.2
