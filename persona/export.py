"""Everything that is kept of a fan, from every store, to take away: as JSON, and as a page that needs no tool."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persona.wiring import House

MEMORIES = {
    "fact": "What the artist knows about you",
    "turn": "What you said",
    "song": "Songs that the artist remembers making for you",
    "promise": "What the artist promised you",
    "lore": "What you told everyone here",
}
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


def as_html(export: Mapping[str, Any]) -> str:
    """The export as one page without scripts."""
    parts = []
    for kind, title in MEMORIES.items():
        items = [_memory(each) for each in export["memories"] if each["kind"] == kind]
        parts.append(_section(title, items))
    parts.append(_section("What you asked for", [_request(each) for each in export["requests"]]))
    parts.append(_section("Your songs in the library", [_made(each) for each in export["songs"]]))
    allowed = export["settings"]["private talk may be recalled in"]
    parts.append(
        _section("Where your private talk may be recalled", [escape(each["scope"]) for each in allowed])
    )
    for what, rows in export["discord"].items():
        parts.append(_section(f"On Discord: {what}", [escape(_plain(row)) for row in rows]))
    body = "\n".join(part for part in parts if part) or "<p>Nothing is kept of you.</p>"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What is kept of you</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1rem/1.5 Georgia,serif;max-width:42rem;margin:2rem auto;padding:0 1rem;background:#faf7f2;color:#222}}
h1,h2{{line-height:1.2}} h2{{margin-top:2rem;border-bottom:1px solid #d8cbb8}} li{{margin:.3rem 0}}
time,small{{color:#6b4f3a}} .old{{text-decoration:line-through;color:#888}}</style></head><body>
<h1>What is kept of you</h1>
<p>{escape(export["fan"])}, as of <time>{escape(export["at"][:16])}</time>. You may have any of it forgotten.</p>
{body}
</body></html>
"""


def _song(house: House, song: str) -> dict[str, Any]:
    from skills.library import LibraryError

    try:
        found = house.library.read(song)
    except LibraryError:
        return {}
    clip = str(house.library.clip(found).absolute()) if found.clip else ""
    return {"song": song, "title": found.title, "made": found.made, "seconds": found.seconds, "clip": clip}


def _on_discord(house: House, fan: str) -> dict[str, list[dict[str, Any]]]:
    path = house.data / "discord.sqlite"
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.row_factory = sqlite3.Row
        found = {what: [dict(row) for row in db.execute(sql, (fan,))] for what, sql in DISCORD.items()}
    return {what: rows for what, rows in found.items() if rows}


def _section(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    rows = "\n".join(item if item.startswith("<li") else f"<li>{item}</li>" for item in items)
    return f"<h2>{escape(title)}</h2>\n<ul>\n{rows}\n</ul>"


def _memory(each: Mapping[str, Any]) -> str:
    old = ' class="old"' if "fact" in each and not each["fact"]["holds"] else ""
    where = escape(f"{each['persona']}, {each['scope']}")
    asked = f"<small>asked: {escape(each['asked'])}</small> " if "asked" in each else ""
    text = escape(each["text"])
    return f"<li{old}><time>{each['when'][:10]}</time> {asked}{text} <small>({where})</small></li>"


def _request(each: Mapping[str, Any]) -> str:
    brief = {name: value for name, value in each["brief"].items() if value}
    return f"{escape(_plain(brief))} <small>({escape(each['state'])}, {escape(each['address'])})</small>"


def _made(each: Mapping[str, Any]) -> str:
    return f"<time>{each['made'][:10]}</time> {escape(each['title'])} <small>{escape(each['clip'])}</small>"


def _plain(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in row.items())
