"""troubadour doctor: what is configured, what is missing, how to mend it."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import Callable

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json
from persona.errors import sentence_for
from persona.models.errors import ModelError
from persona.settings import SettingsError
from persona.wiring import House
from skills.address import Address
from skills.calendar.entry import CalendarError
from skills.post import PostError

Finding = tuple[str, bool, str]


def add_to(app: typer.Typer) -> None:
    @app.command()
    def doctor(as_json: bool = JSON) -> None:
        """Check settings, folders, weights, chat model and voice. Exit status 1 where something is missing."""
        home = house()
        findings = [_look(name, check, home) for name, check in CHECKS.items()]
        if as_json:
            print_json({name: {"ok": fine, "says": says} for name, fine, says in findings})
        else:
            console = Console(highlight=False, soft_wrap=True)
            for name, fine, says in findings:
                console.print(f"{'[green]ok[/]     ' if fine else '[red]missing[/]'} {name}: {says}")
        if not all(fine for _, fine, _ in findings):
            raise typer.Exit(1)


def _look(name: str, check: Callable[[House], str], home: House) -> Finding:
    try:
        return name, True, check(home)
    except Exception as error:  # whatever is wrong is a finding; the doctor goes on
        return name, False, sentence_for(error) or f"{type(error).__name__}: {error}"


def _data(home: House) -> str:
    home.library.check_room()
    free = shutil.disk_usage(home.library.root).free / 1e9
    return f"{home.data} ({free:.1f} GB free)"


def _library(home: House) -> str:
    store = home.library.store
    if store is None:
        return "a folder there"
    count = len(store.songs())
    if home.settings.provenance.certificate is None:
        raise SettingsError(
            "each machine would sign with a certificate of its own: set TROUBADOUR_PROVENANCE__CERTIFICATE and __KEY "
            "to the same two files everywhere; `troubadour prepare` makes them"
        )
    return f"{count} songs in {store.url}"


def _persona(home: House) -> str:
    return f"{home.card.name} ({home.settings.persona})"


def _chat(home: House) -> str:
    chat = home.settings.chat
    if chat.model == "embedded":
        return "embedded: the written repertoire, routed by meaning"
    if chat.model == "gguf":
        _ = home.chat_model  # loads the file, or says why not
        return f"{chat.gguf}, in this process"
    import httpx

    key = chat.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx.get(f"{chat.base_url.rstrip('/')}/models", headers=headers, timeout=chat.timeout)
    answer.raise_for_status()
    names = [str(model["id"]) for model in answer.json()["data"]]
    if chat.name and chat.name not in names:
        raise ModelError(
            f"{chat.base_url} has no model {chat.name!r}; it has {', '.join(names[:9]) or 'none'}"
        )
    return f"{chat.name or names[0]} at {chat.base_url}"


def _voice(home: House) -> str:
    singer = home.score_singer
    return f"{home.settings.voice.name}, comfortable from MIDI {singer.low} to {singer.high}"


def _encoder(home: House) -> str:
    import imageio_ffmpeg

    return f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}"


def _styles(home: House) -> str:
    from skills.style import list_styles

    return ", ".join(list_styles())


def _discord(home: House) -> str:
    chosen = home.settings.discord
    token = chosen.token.get_secret_value()
    if not token:  # not an error: the terminal needs none
        return "no token set (TROUBADOUR_DISCORD__TOKEN); the terminal works without one"
    from persona.stages.discord.account import API, examine

    tokens = [token, *(own for other in chosen.others if (own := other.token.get_secret_value()))]
    said = [asyncio.run(examine(each, chosen.api or API)) for each in tokens]
    said.append(
        f"a fan gets {chosen.songs_per_day} songs a day in private; a clip is fitted into what a server takes"
    )
    return "; ".join([*said, _singing_in_channels()])


def _singing_in_channels() -> str:
    """Whether /perform has what it needs."""
    import importlib.util

    lacks = [name for name, module in {"PyNaCl": "nacl", "davey": "davey"}.items()
             if importlib.util.find_spec(module) is None]  # fmt: skip
    if lacks:
        return f"/perform lacks {', '.join(lacks)}: pip install 'troubadour[discord]'"
    return "/perform has what it needs"


def _places(home: House) -> str:
    """Every account that is set, asked who it is."""
    places = home.posting.social
    set_up = [(stage, name) for stage, place in places.items() for name in place.accounts]
    if not set_up:  # not an error
        return "none set (docs/places.md shows how to post to Mastodon, Bluesky, Telegram or a feed)"
    if {stage for stage, _ in set_up} != {"feed"} and importlib.util.find_spec("mastodon") is None:
        raise PostError("posting to networks is not installed: pip install 'troubadour[social]'")
    said, silent = [], []
    for stage, name in set_up:
        try:
            said.append(f"{stage}:{name} is {places[stage].outlet(Address(stage, name)).look()}")
        except PostError as error:
            silent.append(f"{stage}:{name}: {error}")
    if silent:
        raise PostError("; ".join(silent + said))
    return "; ".join(said)


def _calendar(home: House) -> str:
    entries = home.posting.calendar.read()
    nowhere = [entry.name for entry in entries if not entry.where]
    drafts = len(home.posting.book.drafts())
    known = {*home.posts.places}
    strange = {str(each) for entry in entries for each in entry.addresses if each.stage not in known}
    if strange:
        raise CalendarError(
            f"nothing here posts to {', '.join(sorted(strange))}; there is {', '.join(sorted(known))}"
        )
    said = f"{len(entries)} entries in {home.posting.calendar.path}, {drafts} drafts waiting"
    return said + (f"; no address for {', '.join(nowhere)} (TROUBADOUR_CALENDAR__WHERE)" if nowhere else "")


CHECKS: dict[str, Callable[[House], str]] = {
    "data folder": _data,
    "library": _library,
    "persona": _persona,
    "chat model": _chat,
    "voice": _voice,
    "styles": _styles,
    "encoder": _encoder,
    "discord": _discord,
    "places": _places,
    "calendar": _calendar,
}
