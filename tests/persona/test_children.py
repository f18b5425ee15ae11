"""Child processes: begun again when they end, ended with us."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from persona.children import Child, environment_for


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_child_that_ends_is_begun_again_with_longer_pauses_and_ended_when_we_stop(capsys):
    async def run() -> tuple[Child, list[float]]:
        child, stop = (
            Child("short", [sys.executable, "-c", "raise SystemExit(3)"], first_pause=0.1),
            asyncio.Event(),
        )
        keeping, began = asyncio.create_task(child.keep(stop)), []
        for number in range(1, 4):
            await until(lambda number=number: child.begun >= number)
            began.append(time.monotonic())
        stop.set()
        await asyncio.wait_for(keeping, 10)
        return child, began

    child, began = asyncio.run(run())
    assert began[2] - began[1] > began[1] - began[0]
    assert child.process is not None and child.process.returncode is not None
    assert "status=3" in capsys.readouterr().out


def test_a_running_child_is_asked_to_end_and_does(tmp_path: Path):
    async def run() -> int | None:
        child = Child("long", [sys.executable, "-c", "import time; time.sleep(60)"])
        stop = asyncio.Event()
        keeping = asyncio.create_task(child.keep(stop))
        await until(lambda: child.process is not None)
        stop.set()
        await asyncio.wait_for(keeping, 10)
        return child.process.returncode if child.process else None

    assert asyncio.run(run()) == -15


def test_a_child_ends_with_its_parent_even_if_that_was_killed(tmp_path: Path):
    pid_file = tmp_path / "pid"
    child = (
        "import os, pathlib, time; from persona.children import end_with_parent; end_with_parent(); "
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    parent = (
        "import asyncio, sys; from persona.children import Child; "
        f"asyncio.run(Child('c', [sys.executable, '-c', {child!r}]).keep(asyncio.Event()))"
    )

    async def run() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
        await until(lambda: pid_file.exists() and pid_file.read_text().isdigit())
        process.kill()
        await process.wait()
        pid = int(pid_file.read_text())
        await until(lambda: gone(pid))
        return pid

    assert gone(asyncio.run(run()))


def test_another_artist_has_its_own_card_token_and_data():
    env = environment_for(
        "cast/blue-note.yaml", "other-token", Path("/data"), {"PATH": "/bin", "TROUBADOUR_PERSONA": "x"}
    )
    assert (
        env["TROUBADOUR_PERSONA"] == "cast/blue-note.yaml"
        and env["TROUBADOUR_DISCORD__TOKEN"] == "other-token"
    )
    assert (
        env["TROUBADOUR_DATA_DIR"] == "/data/artists/blue-note" and env["TROUBADOUR_DISCORD__OTHERS"] == "[]"
    )
    assert env["PATH"] == "/bin"
