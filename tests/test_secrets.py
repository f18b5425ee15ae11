"""The plugin that looks for secrets in all output finds one, wherever it comes out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from persona.settings import SettingsError, read_settings
from tests.secrets import PLANTED, SIGN

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
    tests += [f"def test_each_{i}():\n print(os.environ[{name!r}])\n" for i, name in enumerate(PLANTED)]
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
    for i, _ in enumerate(PLANTED):
        assert f"test_each_{i}: a planted secret stands in" in done.stdout, done.stdout
    assert f"{len(WAYS) + len(PLANTED)} error" in done.stdout and "test_silent" not in done.stdout, (
        done.stdout
    )


def test_the_planted_secrets_are_settings_that_show_themselves_nowhere() -> None:
    settings = read_settings()
    assert settings.chat.api_key.get_secret_value() == PLANTED["TROUBADOUR_CHAT__API_KEY"]
    store, moderation = settings.songs.store, settings.guard.moderation
    assert store.key.get_secret_value() == PLANTED["TROUBADOUR_SONGS__STORE__KEY"]
    assert store.secret.get_secret_value() == PLANTED["TROUBADOUR_SONGS__STORE__SECRET"]
    assert moderation.api_key.get_secret_value() == PLANTED["TROUBADOUR_GUARD__MODERATION__API_KEY"]
    print(settings, settings.model_dump(), settings.model_dump_json())  # the plugin reads along


@pytest.mark.parametrize(
    "values",
    [
        {"discord": {"token": SIGN, "others": [{"persona": "blue-note", "token": SIGN}]}},
        {"songs": {"database_url": f"postgresql://rust:{SIGN}@127.0.0.1:9/none"}},
        {"social": {"mastodon": {"rust": {"server": "https://a.test", "token": SIGN}}}},
        {"social": {"bluesky": {"rust": {"password": SIGN}}, "apprise": {"band": f"tgram://{SIGN}/42"}}},
    ],
    ids=["discord", "database", "mastodon", "bluesky and apprise"],
)
def test_settings_show_none_of_their_secrets_and_refuse_a_bad_one_without_telling_it(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"TROUBADOUR_{name.upper()}", json.dumps(value))
    settings = read_settings()
    print(
        settings, repr(settings), settings.model_dump(), settings.model_dump_json()
    )  # the plugin reads along
    told = json.dumps(
        settings.model_dump(), default=lambda value: getattr(value, "get_secret_value", value.__str__)()
    )
    assert SIGN in told
    for name, value in values.items():
        monkeypatch.setenv(f"TROUBADOUR_{name.upper()}", json.dumps({**value, "misspelt": SIGN}))
    with pytest.raises(SettingsError) as refusal:
        read_settings()
    assert SIGN not in str(refusal.value)
