from __future__ import annotations

from pathlib import Path

import pytest

from persona.settings import SettingsError, read_settings


def test_a_newcomer_needs_no_setting_at_all() -> None:
    settings = read_settings()
    assert settings.chat.model == "embedded"
    assert settings.persona == "breaking-rust"


def test_variables_reach_one_level_down_and_win_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("troubadour.toml").write_text('[chat]\nmodel = "endpoint"\nname = "from-file"\n')
    monkeypatch.setenv("TROUBADOUR_CHAT__NAME", "from-variable")
    chat = read_settings().chat
    assert (chat.model, chat.name) == ("endpoint", "from-variable")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TROUBADOUR_CHATT__MODEL", "embedded", "TROUBADOUR_CHATT__MODEL is not a setting"),
        ("TROUBADOUR_CHAT__MODLE", "embedded", "chat.modle is not a setting"),
        (
            "TROUBADOUR_CHAT__MODEL",
            "telepathy",
            "chat.model: Input should be 'embedded', 'endpoint' or 'gguf'",
        ),
        ("TROUBADOUR_VOICE__THREADS", "0", "voice.threads: Input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says.replace(".", r"\.")):
        read_settings()


@pytest.mark.parametrize(
    ("text", "says"), [("moon = 1\n", "moon is not a setting"), ("[chat\n", "cannot be read")]
)
def test_a_bad_file_is_named(text: str, says: str) -> None:
    Path("troubadour.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        read_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUBADOUR_CHAT__API_KEY", "sk-planted-secret")
    monkeypatch.setenv("TROUBADOUR_DISCORD__TOKEN", "planted-token")
    settings = read_settings()
    assert "planted" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert settings.chat.api_key.get_secret_value() == "sk-planted-secret"
