"""What deploy/ names is there: settings, commands, files, figures. No container engine and no helm are needed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from typer.testing import CliRunner

from persona.cli import app
from persona.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "troubadour"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
COMMAND = typer.main.get_command(app)
TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


def exists(variable: str) -> bool:
    """Whether a TROUBADOUR_* variable is one of the settings."""
    model: Any = Settings
    for part in variable.removeprefix(PREFIX).lower().split("__"):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
        if get_origin(model) in (Union, UnionType):
            model = next(each for each in get_args(model) if each is not type(None))
    return True


def commands_take(words: list[str]) -> None:
    """Raises where `troubadour` has no such command or option."""
    command = COMMAND.commands[words[0]]  # type: ignore[attr-defined]
    command.make_context(words[0], words[1:])


def test_every_command_of_the_runbook_is_there() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    quoted = re.findall(r"`troubadour ([a-z][^`]*)`", text)
    quoted += re.findall(r"^troubadour ([a-z][^#\n]*)", text, re.MULTILINE)
    assert len(quoted) > 12
    for line in quoted:
        command, words = COMMAND, [word for word in shlex.split(line) if word != "..."]
        while hasattr(command, "commands") and words:
            command = command.commands[words.pop(0)]  # KeyError: there is no such command
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".yaml" and CHART not in path.parents]
)
def test_every_yaml_file_can_be_read(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"TROUBADOUR_[A-Z_]+[A-Z]", path.read_text())) - {"TROUBADOUR_VERSION"}
    assert [name for name in sorted(named) if not exists(name)] == []


def test_a_setting_that_is_not_there_would_be_found() -> None:
    assert exists("TROUBADOUR_SONGS__DATABASE_URL")
    assert not exists("TROUBADOUR_SONGS__DATABASE")
    assert not exists("TROUBADOUR_DATABASE_URL")


def test_the_example_of_settings_holds_no_secret() -> None:
    lines = [line for line in (DEPLOY / ".env.example").read_text().splitlines() if line and line[0] != "#"]
    given = {name: value for name, _, value in (line.partition("=") for line in lines)}
    assert given["POSTGRES_PASSWORD"] == given["STORE_SECRET"] == given["TROUBADOUR_DISCORD__TOKEN"] == ""


def test_the_image_copies_what_is_there_runs_as_nobody_and_says_whether_it_is_well() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source.split('/')[0]}" in ignore, f".dockerignore leaves {source} out"
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "10001:10001"
    [check] = re.findall(r"^HEALTHCHECK.* CMD (\[.*\])$", text, re.MULTILINE)
    commands_take(json.loads(check)[1:])
    [last] = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    commands_take(json.loads(last))
    assert not re.search(r"ADD |curl|latest|sudo", text)


def test_compose_starts_real_commands_with_the_same_versions_as_the_lock() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {"prepare", "bot", "worker", "metrics", "postgres", "chroma", "store"} == set(services)
    for name in ("prepare", "bot", "worker", "metrics"):
        commands_take(services[name]["command"])
        assert services[name]["environment"]["TROUBADOUR_MEMORY__SERVER"].startswith("chroma:")
        assert services[name]["environment"]["TROUBADOUR_SONGS__STORE__ENDPOINT"].startswith("http://store:")
    own = [volume for volume in services["worker"]["volumes"] if ":/var/lib/troubadour" in volume]
    assert own == [], "a worker needs no folder of anybody's"
    assert services["worker"]["deploy"]["replicas"] >= 2
    [locked] = re.findall(r"^chromadb==(.+)$", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
    assert services["chroma"]["image"].endswith(f":{locked}")
    assert all(":127.0.0.1" in f":{port}" for each in services.values() for port in each.get("ports", []))


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_units_start_real_commands_and_are_hardened(path: Path) -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(path)
    if path.suffix == ".timer":
        assert (path.with_suffix(".service")).is_file()
        return
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert program == "/opt/troubadour/bin/troubadour"
    commands_take(words)
    assert service["User"] == "troubadour"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in (DEPLOY / "systemd").iterdir():
        there = unit.read_text().replace("/opt/troubadour/bin/troubadour", "/bin/true")
        (tmp_path / unit.name).write_text(there.replace("User=troubadour", "User=daemon"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("troubadour*")))],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "troubadour" in line]
    assert ours == []


def figures(data: Path) -> set[str]:
    from persona.settings import read_settings
    from persona.wiring import House

    house = House(read_settings())
    _ = house.book.client, house.discord.store
    house.book.close()
    house.discord.store.close()
    done = CliRunner().invoke(app, ["metrics"])
    assert done.exit_code == 0, done.output
    families = list(text_string_to_metric_families(done.stdout))
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {f"{each.name}{end}" for each in families for end in ("", *suffixes.get(each.type, ()))}


def test_dashboard_and_alerts_ask_for_figures_that_there_are(own_folders: Path) -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = " ".join(
        [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        + [rule["expr"] for rule in rules]
    )
    named = set(re.findall(r"troubadour_\w+", asked))
    assert named - figures(own_folders) == set()
    assert all(rule["labels"]["severity"] and rule["annotations"]["summary"] for rule in rules)


# ---- the chart


def rendered(text: str) -> str:
    """A template without its actions: helm is not installed here, so only what stands around them is read."""
    lines = []
    for line in text.splitlines():
        if TEMPLATE.fullmatch(line.strip()):
            continue
        lines.append(TEMPLATE.sub("x", line))
    return "\n".join(lines)


@pytest.mark.parametrize("path", sorted((CHART / "templates").glob("*.yaml")), ids=lambda path: path.name)
def test_templates_are_balanced_yaml_and_ask_for_values_that_are_given(path: Path) -> None:
    text = path.read_text()
    actions = TEMPLATE.findall(text)
    opened = [each for each in actions if re.match(r"(if|range|with|define)\b", each)]
    assert len(opened) == len([each for each in actions if each == "end"])
    assert {"apiVersion", "kind", "metadata"} <= set(yaml.safe_load(rendered(text)))
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    for wanted in re.findall(r"\.Values\.([\w.]+)", text + helpers):
        found = values
        for part in wanted.split("."):
            assert part in found, f".Values.{wanted} is not in values.yaml"
            found = found[part]
    for name in re.findall(r'include "([^"]+)"', text + helpers):
        assert f'define "{name}"' in helpers


def test_the_charts_pods_start_real_commands() -> None:
    for name in ("bot", "worker", "metrics"):
        text = (CHART / "templates" / f"{name}.yaml").read_text()
        [args] = re.findall(r"args: (\[.*\])", text)
        commands_take(yaml.safe_load(args))
        assert 'include "troubadour.container"' in text
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    for probe in re.findall(r"command: \[troubadour, (.*)\]", helpers.replace(" }", "")):
        commands_take([probe])
    assert "replicas: {{ .Values.worker.replicas }}" in (CHART / "templates" / "worker.yaml").read_text()


def test_helm_itself_and_kubernetes_schemas_accept_the_chart() -> None:
    python = ROOT / ".venv-charts" / "bin" / "python"
    if not python.exists():
        pytest.skip("what reads charts is not installed: make charts")
    done = subprocess.run(
        [python, DEPLOY / "helm" / "check.py"], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_clean_to_hadolint() -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        pytest.skip("hadolint is not installed: requirements/dev.txt")
    done = subprocess.run(
        [program, DEPLOY / "Dockerfile"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
