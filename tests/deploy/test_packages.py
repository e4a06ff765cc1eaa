"""What is built for those who install it: a wheel and an archive of sources, from this checkout."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from rollbook import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder


def test_the_wheel_holds_every_file_of_the_package(built: Path) -> None:
    with zipfile.ZipFile(built / f"rollbook-{__version__}-py3-none-any.whl") as wheel:
        held = {name for name in wheel.namelist() if name.startswith("rollbook/")}

    source = ROOT / "src"
    there = {
        path.relative_to(source).as_posix()
        for path in (source / "rollbook").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there


def test_the_image_of_kubernetes_has_the_version_of_the_package_and_the_changelog_has_notes() -> None:
    base = (ROOT / "deploy" / "kubernetes" / "base" / "kustomization.yaml").read_text()
    notes = subprocess.run(["make", "--silent", "release-notes"], cwd=ROOT, capture_output=True, text=True)

    assert f'newTag: "{__version__}"\n' in base
    assert notes.stdout.startswith("## Unreleased\n")
    assert notes.stdout.count("\n## ") == 0


def test_the_archive_of_sources_can_build_the_wheel(built: Path) -> None:
    with tarfile.open(built / f"rollbook-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "src/rollbook/__init__.py"} <= names
