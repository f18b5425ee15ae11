"""No secret in any output: a plugin over the whole suite that plants secrets and reads whatever comes out of a test.

Read are what pytest captures (standard output and error, also of children that inherit them, and logs), what children
return to `subprocess`, what `capture_logs` and the capture fixtures took away, and the account of a failure.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator, MutableMapping
from typing import Any

import pytest
from structlog.testing import LogCapture

SIGN = "planted-secret"  # stands in every planted value, and in nothing else
# A setting that changes nothing about a newcomer's artist; a test with secrets of its own puts the sign into them.
PLANTED = {
    "TROUBADOUR_CHAT__API_KEY": f"sk-{SIGN}",
    "TROUBADOUR_GUARD__MODERATION__API_KEY": f"sk-moderation-{SIGN}",
    "TROUBADOUR_SONGS__STORE__KEY": f"key-{SIGN}",
    "TROUBADOUR_SONGS__STORE__SECRET": f"store-{SIGN}",
}
_seen: list[str] = []  # where the sign was, in the test that runs


def _look(where: str, text: object) -> None:
    if SIGN in (text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text or "")):
        _seen.append(where)


@pytest.fixture(autouse=True)
def planted_secrets(own_folders: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plants them, and looks over the shoulder of whoever takes output away before pytest sees it."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    communicate, logged, taken = (
        subprocess.Popen.communicate,
        LogCapture.__call__,
        pytest.CaptureFixture.readouterr,
    )

    def heard(process: subprocess.Popen[Any], *given: Any, **named: Any) -> tuple[Any, Any]:
        out, err = communicate(process, *given, **named)
        _look("a child's standard output", out)
        _look("a child's standard error", err)
        return out, err

    def noted(capture: LogCapture, logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        _look("a log", event)
        return logged(capture, logger, method, event)

    def read(fixture: pytest.CaptureFixture[Any]) -> Any:
        both = taken(fixture)
        _look("standard output or error", f"{both.out}{both.err}")
        return both

    monkeypatch.setattr(subprocess.Popen, "communicate", heard)
    monkeypatch.setattr(LogCapture, "__call__", noted)
    monkeypatch.setattr(pytest.CaptureFixture, "readouterr", read)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for name, text in report.sections:
        _look(name, text)
    _look("the account of a failure", report.longreprtext)
    if call.when == "teardown":
        if _seen and report.passed:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: a planted secret stands in {', '.join(sorted(set(_seen)))}"
        _seen.clear()
    return report
