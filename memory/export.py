"""Everything that is remembered of a fan, to take away as plain values."""

from __future__ import annotations

from typing import Any

from memory.forgetting import entries_of
from memory.memory import Memory


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
