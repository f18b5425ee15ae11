"""What people install holds everything that the rooms read."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_tracked_file_of_the_four_rooms(tmp_path: Path) -> None:
    rooms = ("persona", "skills", "voice", "memory")
    tracked = subprocess.run(
        ["git", "ls-files", *rooms], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    [wheel] = tmp_path.glob("troubadour-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    missing = [name for name in tracked if name not in held and not name.endswith(".gitignore")]
    assert not missing
    assert {f"{room}/py.typed" for room in rooms} <= held


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = ("torch", "langchain", "chromadb", "dbos", "music21", "onnxruntime", "libsonare", "discord")
    code = f"import persona.cli, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
