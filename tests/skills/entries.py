"""An entry of a calendar, as the tests of the calendar have it unless they say otherwise."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from skills.calendar.entry import Entry

BERLIN = ZoneInfo("Europe/Berlin")


def an_entry(**chosen: Any) -> Entry:
    usual: dict[str, Any] = {
        "name": "thought",
        "what": "thought",
        "zone": "Europe/Berlin",
        "where": ("pub:a",),
    }
    if "date" not in chosen:
        usual["cron"] = "0 12 * * *"
    return Entry.model_validate(usual | chosen)
