"""The export of a fan as one page that needs no tool: to be read, printed, kept. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import Any

Item = Mapping[str, Any]
STYLE = """
:root { color-scheme: light dark; --paper: #faf7f2; --ink: #222; --quiet: #6b4f3a; --line: #d8cbb8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1b1816; --ink: #ece5da; --quiet: #c3a98d; --line: #4a3f34; }
}
body { font: 1rem/1.5 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.2; break-after: avoid; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; color: var(--quiet); margin: 1.2rem 0 .2rem; }
ul { list-style: none; padding: 0; }
li { margin: .6rem 0; break-inside: avoid; }
small, nav { font-size: .85rem; color: var(--quiet); }
small { display: block; }
nav a { margin-right: .8rem; white-space: nowrap; }
a { color: inherit; }
.old { color: var(--quiet); }
.old > div { text-decoration: line-through; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; white-space: pre-line; }
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #999; }
  html { font-size: 10pt; }
  body { margin: 0; max-width: none; }
  nav { display: none; }
}
"""


def as_html(export: Item) -> str:
    """Everything that `persona.export.everything_of` found."""
    memories = export["memories"]
    of_kind = {kind: [each for each in memories if each["kind"] == kind] for kind in
               ("fact", "turn", "song", "promise", "lore")}  # fmt: skip
    sections = {
        "What the artist knows about you": [_list(_facts(of_kind["fact"]))],
        "What you said": _by_month(of_kind["turn"]),
        "What the artist promised you": _by_month(of_kind["promise"]),
        "Songs that the artist remembers making for you": _by_month(of_kind["song"]),
        "What you told everyone here": _by_month(of_kind["lore"]),
        "What you asked for": [_list(map(_request, export["requests"]))],
        "Your songs in the library": [_list(map(_song, export["songs"]))],
        "Where your private talk may be recalled": [
            _list(_item(_where(each["scope"]), each["persona"])
                  for each in export["settings"]["private talk may be recalled in"])
        ],
    }  # fmt: skip
    for what, rows in export["discord"].items():
        sections[f"On Discord: {what}"] = [_list(map(_deed, rows))]
    full = {title: "".join(parts) for title, parts in sections.items() if "".join(parts)}
    links = "".join(f'<a href="#s{at}">{escape(title)}</a> ' for at, title in enumerate(full))
    body = "".join(
        f'<h2 id="s{at}">{escape(title)}</h2>\n{part}\n' for at, (title, part) in enumerate(full.items())
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What is kept of you</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>What is kept of you</h1>
<p>{escape(export["fan"])}, as of {_when(export["at"], "%d %B %Y, %H:%M UTC")}. You may have any of it forgotten.</p>
<nav>{links}</nav>
{body or "<p>Nothing is kept of you.</p>"}
</body></html>
"""


def _facts(facts: Sequence[Item]) -> Iterator[str]:
    """What holds, each with the times that it was told before; then what holds no more, struck out."""

    def matter(each: Item) -> tuple[str, ...]:
        fact = each["fact"]
        return each["persona"], each["scope"], fact["slot"], fact["key"] or "", fact["value"]

    known = {matter(each) for each in facts if each["fact"]["holds"]}
    for each in facts:
        if each["fact"]["holds"]:
            before = [_when(old["when"]) for old in facts if old is not each and matter(old) == matter(each)]
            also = f"told before on {', '.join(before)}" if before else ""
            yield _item(escape(each["text"]), _when(each["when"]), *_place(each), also)
    for each in facts:
        if matter(each) not in known:
            yield _item(escape(each["text"]), "no longer so", _when(each["when"]), *_place(each), old=True)


def _by_month(memories: Iterable[Item]) -> list[str]:
    months = groupby(memories, lambda each: _when(each["when"], "%B %Y"))
    return [f"<h3>{month}</h3>{_list(map(_memory, some))}" for month, some in months]


def _memory(each: Item) -> str:
    asked = f"asked: {escape(each['asked'])}" if "asked" in each else ""
    return _item(escape(each["text"]), asked, _when(each["when"]), *_place(each))


def _request(each: Item) -> str:
    brief = {name: value for name, value in each["brief"].items() if value}
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{_value(value)}</dd>" for name, value in brief.items())
    times = [f"{escape(name)} {_when(when)}" for name, when in each["times"].items()]
    return _item(
        f"<dl>{rows}</dl>", escape(each["state"]), *times, escape(each["address"]), escape(each["song"])
    )


def _song(each: Item) -> str:
    return _item(escape(each["title"]), _when(each["made"]), escape(each["song"]), escape(each["clip"]))


def _deed(row: Item) -> str:
    """A row of the stage's own book: its words, its day, and a link to the message that it is about."""
    rest = {name: value for name, value in row.items() if name not in ("guild", "channel", "message", "at")}
    words = ", ".join(f"{escape(name)}: {_value(value)}" for name, value in rest.items() if value)
    link = ""
    if row.get("message"):
        place = escape("/".join(str(row[name]) for name in ("guild", "channel", "message")))
        link = f'<a href="https://discord.com/channels/{place}">the message</a>'
    day = _when(datetime.fromtimestamp(row["at"], UTC).isoformat()) if "at" in row else ""
    return _item(words, day, link)


def _place(each: Item) -> tuple[str, str]:
    return _where(each["scope"]), escape(each["persona"])


def _where(scope: str) -> str:
    kind, _, place = scope.partition(":")
    told = {
        "fan": "in private",
        "channel": "in a channel",
        "server": "on a server",
        "everyone": "to everyone",
    }
    return told[kind] if kind in ("fan", "everyone") else f"{told[kind]} ({escape(place)})"


def _value(value: object) -> str:
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def _when(iso: str, form: str = "%d %B %Y") -> str:
    when = datetime.fromisoformat(iso).astimezone(UTC)
    return when.strftime(form).removeprefix("0")


def _item(text: str, *notes: str, old: bool = False) -> str:
    """One entry, in markup that is escaped already."""
    told = " · ".join(note for note in notes if note)
    kind = ' class="old"' if old else ""
    return f"<li{kind}><div>{text}</div><small>{told}</small></li>\n"


def _list(items: Iterable[str]) -> str:
    rows = "".join(items)
    return f"<ul>\n{rows}</ul>" if rows else ""
