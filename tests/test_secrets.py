"""The plugin that looks for secrets in all output finds one, wherever it comes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.secrets import PLANTED

WAYS = {
    "print": "print(SECRET)",
    "log": "import logging; logging.getLogger('x').error(SECRET)",
    "structlog": "with structlog.testing.capture_logs(): structlog.get_logger().error(SECRET)",
    "child": "subprocess.run(['echo', SECRET], capture_output=True)",
    "inheriting_child": "subprocess.run(['echo', SECRET])",
    "taken_away": "print(SECRET); capsys.readouterr()",
}


def test_whatever_lets_a_secret_out_fails(tmp_path: Path) -> None:
    tests = [f"def test_{name}(capsys):\n {code}\n" for name, code in WAYS.items()]
    own = "import pytest\n@pytest.fixture(autouse=True)\ndef own_folders(): pass\n"
    (tmp_path / "conftest.py").write_text(f"pytest_plugins = ['tests.secrets']\n{own}")
    (tmp_path / "test_it.py").write_text(
        "import subprocess, structlog.testing, os\nfrom tests.secrets import PLANTED\n[SECRET, *_] = PLANTED.values()\n"
        + "".join(tests).replace("def test_inheriting_child(capsys)", "def test_inheriting_child()")
        + "def test_silent():\n assert os.environ['TROUBADOUR_CHAT__API_KEY'] == SECRET\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--show-capture=no", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    for name in WAYS:
        assert f"test_{name}: a planted secret stands in" in done.stdout, done.stdout
    assert f"{len(WAYS)} error" in done.stdout and "test_silent" not in done.stdout, done.stdout


def test_the_planted_secret_is_a_setting_that_shows_itself_nowhere() -> None:
    from persona.settings import read_settings

    settings = read_settings()
    assert settings.chat.api_key.get_secret_value() == PLANTED["TROUBADOUR_CHAT__API_KEY"]
    print(settings, settings.model_dump(), settings.model_dump_json())  # the plugin reads along
