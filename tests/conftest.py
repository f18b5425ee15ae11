"""Every test has its own data folder; the converted weights are shared, since converting them takes seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
import structlog

pytest_plugins = ["tests.secrets"]

CACHE = Path(os.environ.get("TROUBADOUR_CACHE_DIR", platformdirs.user_cache_dir("troubadour")))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings as a newcomer has them, with this test's own data folder and no troubadour.toml around."""
    for name in [name for name in os.environ if name.startswith("TROUBADOUR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TROUBADOUR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TROUBADOUR_CACHE_DIR", str(CACHE))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A command that a test ran in this process sets up logs; the next test begins without.

    As the program's, a test's own log shows no local variables: a token may be among them.
    """
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    yield
    structlog.reset_defaults()
