"""The compose file is one that docker-compose reads, and its service is what the image needs."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FILE = Path(__file__).parents[2] / "deploy" / "compose" / "compose.yaml"

pytestmark = pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")


def test_the_file_is_understood() -> None:
    read = subprocess.run(["docker-compose", "--file", str(FILE), "config"], capture_output=True, text=True)

    assert read.returncode == 0, read.stderr
    service = yaml.safe_load(read.stdout)["services"]["registry"]
    assert service["read_only"] is True
    assert Path(service["build"]["context"], service["build"]["dockerfile"]).is_file()
