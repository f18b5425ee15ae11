"""Everything that is remembered of a fan, to take away: as JSON, and as a page that reads without any tool."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from memory.forgetting import entries_of
from memory.memory import Memory

TITLES = {
    "fact": "What the artist knows about you",
    "turn": "What you said",
    "song": "Songs made for you",
    "promise": "What the artist promised you",
    "lore": "What you told everyone here",
}


def export_fan(memory: Memory, fan: str) -> dict[str, Any]:
    """All of a fan's memories as plain values, superseded facts included."""
    sql = (
        "SELECT entry.id, persona, scope, slot, key, value, confidence, source, until FROM entry"
        " JOIN drawer ON drawer.id = drawer WHERE fan = ?"
    )
    db = memory.log.connection()
    rest = {row[0]: row[1:] for row in db.execute(sql, (fan,))}
    memories = []
    for entry in entries_of(memory, fan):
        persona, scope, slot, key, value, confidence, source, until = rest[entry.id]
        item: dict[str, Any] = {"id": entry.id, "kind": entry.kind, "persona": persona, "scope": scope}
        item |= {"when": entry.at.isoformat(), "speaker": entry.speaker, "text": entry.text}
        if entry.heard:
            item["asked"] = entry.heard
        if slot is not None:
            item["fact"] = {
                "slot": slot,
                "key": key,
                "value": value,
                "confidence": confidence,
                "source": source,
            }
            item["fact"]["holds"] = until is None
        memories.append(item)
    sql = "SELECT persona, scope FROM consent WHERE fan = ?"
    allowed = [{"persona": persona, "scope": scope} for persona, scope in db.execute(sql, (fan,))]
    return {"fan": fan, "at": memory.now().isoformat(), "memories": memories, "allowed": allowed}


def as_html(export: Mapping[str, Any]) -> str:
    """The export as one page without scripts."""
    parts = []
    for kind, title in TITLES.items():
        items = [each for each in export["memories"] if each["kind"] == kind]
        if items:
            parts.append(f"<h2>{title}</h2>\n<ul>\n{''.join(map(_item, items))}</ul>")
    body = "\n".join(parts) or "<p>Nothing is remembered of you.</p>"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What is remembered of you</title>
<style>body{{font:1rem/1.5 Georgia,serif;max-width:42rem;margin:2rem auto;padding:0 1rem;background:#faf7f2;color:#222}}
time,small{{color:#6b4f3a}} .old{{text-decoration:line-through;color:#888}}</style></head><body>
<h1>What is remembered of you</h1>
<p>{escape(export["fan"])}, as of <time>{escape(export["at"][:16])}</time>. You may have any of it forgotten.</p>
{body}
</body></html>
"""


def _item(each: Mapping[str, Any]) -> str:
    old = ' class="old"' if "fact" in each and not each["fact"]["holds"] else ""
    where = escape(f"{each['persona']}, {each['scope']}")
    asked = f"<small>asked: {escape(each['asked'])}</small> " if "asked" in each else ""
    text = escape(each["text"])
    return f"<li{old}><time>{each['when'][:10]}</time> {asked}{text} <small>({where})</small></li>\n"
