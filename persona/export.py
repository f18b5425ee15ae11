"""Everything that is kept of a fan, from every store, to take away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persona.wiring import House

DISCORD = {
    "posted": "select title, song, guild, channel, message, at from posted where fan = ?",
    "liked": "select song, how, at from liked where fan = ?",
    "reported": "select song, why, at from reports where fan = ?",
    "orders": "select song, guild, channel, message from orders where fan = ?",
    "songs counted today": "select server, at from allowance where fan = ?",
}


def everything_of(house: House, fan: str) -> dict[str, Any]:
    """All of a fan's memories, requests, songs, choices and deeds as plain values; nobody else's."""
    from memory.export import export_fan

    house.keepsakes.take_into(house.memory)
    kept = export_fan(house.memory, fan)
    requests = [
        {
            "song": status.request.id,
            "state": status.state,
            "address": str(status.request.address),
            "times": {name: when.isoformat() for name, when in status.times.items()},
            "brief": vars(status.request.brief),
        }
        for status in house.book.of_fan(fan)
    ]
    made = [each["fact"]["value"] for each in kept["memories"] if each["kind"] == "song"]
    songs = [_song(house, song) for song in dict.fromkeys([*(each["song"] for each in requests), *made])]
    return {
        "fan": fan,
        "at": kept["at"],
        "memories": kept["memories"],
        "requests": requests,
        "songs": [song for song in songs if song],
        "settings": {"private talk may be recalled in": kept["allowed"]},
        "discord": _on_discord(house, fan),
    }


def _song(house: House, song: str) -> dict[str, Any]:
    from skills.library import LibraryError

    try:
        found = house.library.read(song)
    except LibraryError:
        return {}
    # Its place within the library: whose disk that is on is nobody else's concern.
    clip = f"{song}/{found.clip}" if found.clip else ""
    return {"song": song, "title": found.title, "made": found.made, "seconds": found.seconds, "clip": clip}


def _on_discord(house: House, fan: str) -> dict[str, list[dict[str, Any]]]:
    path = house.data / "discord.sqlite"
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.row_factory = sqlite3.Row
        found = {what: [dict(row) for row in db.execute(sql, (fan,))] for what, sql in DISCORD.items()}
    return {what: rows for what, rows in found.items() if rows}
