"""What the tests of the Discord stage stand on: the wired parts, a scripted artist, songs that are there already."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import discord
import imageio_ffmpeg
import simcord
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from persona.encounter import Encounter
from persona.guard.book import GuardBook
from persona.stages.discord.act import Parts
from persona.stages.discord.bot import DiscordStage
from persona.stages.discord.elsewhere import Elsewhere
from persona.stages.discord.keeps import KeepsNothing
from persona.stages.discord.limits import Limits
from persona.stages.discord.lines import Lines
from persona.stages.discord.outbox import Outbox
from persona.stages.discord.pace import Pace
from persona.stages.discord.servers import Servers
from persona.stages.discord.store import Store
from skills.book import RequestBook
from skills.brief import Brief
from skills.database import Database
from skills.library import Library, Song
from skills.lyrics import Line, Lyrics, Stanza
from skills.post import Inbox, Post
from skills.requesting import Skills, request_song
from voice.score import Key, Note, Score, TempoMark


class Scripted:
    """An artist who answers at once. `says(encounter)` gives the text; every encounter is kept in `met`."""

    name, greeting = "Breaking Rust", "Come on in."

    def __init__(self, says: Callable[[Encounter], str] | None = None) -> None:
        self.says = says or (lambda encounter: f"You said: {encounter.message.text}")
        self.met: list[Encounter] = []
        self.dropped: list[str] = []

    async def answer(self, encounter: Encounter) -> AsyncIterator[str]:
        self.met.append(encounter)
        for word in self.says(encounter).split(" "):
            yield word + " "

    async def drop(self, conversation: str) -> None:
        self.dropped.append(conversation)

    async def unsay(self, conversation: str, message: str) -> None:
        self.dropped.append(f"{conversation} {message}")

    async def close(self) -> None:
        pass


def build(data: Path, **chosen: Any) -> Parts:
    """The parts of a stage in a data folder; whatever is `chosen` takes the place of the usual."""
    data.mkdir(parents=True, exist_ok=True)
    lines = Lines.load("breaking-rust")
    store = chosen.get("store") or Store(data / "discord.sqlite")
    servers = Servers(store)
    limits = Limits(store, servers, lines, chosen.get("songs_per_day", 5))
    book = RequestBook(Database(f"sqlite:///{data / 'requests.sqlite'}"))
    book.open_requests()  # its tables are made now: simulated Discord waits five seconds for a client to come up
    skills = Skills(book, Library(data / "songs"), no_author, 20.0, limits.permit)
    artist = chosen.get("artist") or Scripted(chosen.get("says"))
    if isinstance(artist, Scripted) and chosen.get("takes_orders"):
        artist.says = ordering(skills)
    return Parts(
        elsewhere=Elsewhere(artist),
        skills=skills,
        store=store,
        lines=lines,
        servers=servers,
        limits=limits,
        outbox=Outbox(store, Inbox(book.database, skills.library)),
        keeps=chosen.get("keeps") or KeepsNothing(),
        gather=chosen.get("gather", 0.05),
        message_content=chosen.get("message_content", True),
        pace=chosen.get("pace") or Pace(),
        verify=chosen.get("verify") or (lambda path: ()),
        guard_book=GuardBook(data / "guard.sqlite"),
    )


def ordering(skills: Skills) -> Callable[[Encounter], str]:
    """An artist who takes every message for an order, by the real skill."""

    def says(encounter: Encounter) -> str:
        return f"On it. {request_song(skills, encounter.asker, encounter.message.text).ahead} before you."

    return says


def no_author() -> Any:
    raise AssertionError("no lyrics are written in this test")


class Theatre:
    """A server with a channel, two fans and a moderator; short ways to what tests look at."""

    def __init__(self, env: simcord.Env, parts: Parts) -> None:
        self.env, self.parts = env, parts
        self.guild = env.create_guild()
        self.channel = self.guild.create_text_channel("songs")
        self.ann = self.guild.add_member(env.create_user("ann"))
        self.bob = self.guild.add_member(env.create_user("bob"))
        mods = self.guild.create_role("Mods", permissions=discord.Permissions(manage_guild=True))
        self.mod = self.guild.add_member(env.create_user("mod"), roles=[mods])

    @property
    def stage(self) -> DiscordStage:
        bot = self.env.bot
        assert isinstance(bot, DiscordStage)
        return bot

    @property
    def artist(self) -> Scripted:
        artist: Scripted = self.parts.elsewhere.artist
        return artist

    @property
    def me(self) -> str:
        assert self.stage.user is not None
        return self.stage.user.mention

    def said(self, channel: Any = None) -> list[discord.Message]:
        """What the artist said in a channel, oldest first."""
        history = (channel or self.channel).history()
        mine = [m for m in history if m.author.id == self.stage.user.id]  # type: ignore[union-attr]
        return sorted(mine, key=lambda message: message.id)

    def deny(self, *names: str, channel: Any = None) -> None:
        """Takes permissions from the artist in a channel."""
        denied = discord.Permissions(**dict.fromkeys(names, True)).value
        assert self.stage.user is not None
        overwrite = Overwrite(target_id=self.stage.user.id, type=OverwriteType.MEMBER, allow=0, deny=denied)
        self.env.backend.set_overwrite((channel or self.channel).id, overwrite)

    async def look(self) -> None:
        """Time passes: progress and outbox are looked at."""
        await self.env.advance_time(1.1)

    def order(self, fan: Any = None, theme: str = "the last train home") -> str:
        """A request of a fan's in the channel, as the worker will see it; returns the song's id."""
        from persona.stages.discord.places import address_of, fan_id

        address = address_of(self.channel.id, self.guild.id)
        status = self.parts.skills.book.order(
            fan_id((fan or self.ann).id), address, Brief(theme), key=f"key-{theme}"
        )
        return status.request.id

    async def sing(self, fan: Any, words: str, sound: str = "blues") -> Any:
        """/sing, with its form filled in."""
        shown = await fan.slash(self.channel, "sing")
        fields = [row["components"][0]["custom_id"] for row in shown.modal["components"]]
        return await fan.submit_modal(shown, dict(zip(fields, [words, sound], strict=True)))

    def finished(self, song: str, title: str = "Last Train Home", kilobytes: int = 0) -> Song:
        """What the worker does at the end: the song lies in the library, its post in the outbox."""
        made = make_song(self.parts.skills.library, song, title, kilobytes)
        request = self.parts.skills.book.status(song).request
        clip = self.parts.skills.library.clip(made).absolute()
        self.parts.outbox.inbox.post(Post(f"{song}:clip", request.address, f"Here it is: {title}.", clip))
        return made


def make_song(library: Library, song: str, title: str, kilobytes: int = 0) -> Song:
    """A finished song with a real, short MP3 and Ogg/Opus; `kilobytes` makes the MP3 so large."""
    brief = Brief("the last train home", style="blues", dedication="Maya")
    fresh = library.open(brief, 7, song)
    folder = library.folder(song)
    tone(folder / "clip.mp3", ["-c:a", "libmp3lame", "-b:a", "64k"])
    tone(folder / "clip.ogg", ["-c:a", "libopus", "-b:a", "48k"])
    (folder / "stems").mkdir(exist_ok=True)
    for stem in ("vocal", "guitar"):
        tone(folder / "stems" / f"{stem}.wav", ["-c:a", "pcm_s24le", "-ac", "2"])
    if kilobytes:
        padded = (folder / "clip.mp3").read_bytes()
        (folder / "clip.mp3").write_bytes(padded + bytes(kilobytes * 1000 - len(padded)))
    line = Line("The last train home is late", ("The", "last", "train", "home", "is", "late"), (), "a")
    library.write_lyrics(song, Lyrics(title, "aab", (Stanza("verse", (line, line)),), line.text))
    note = Note(0, 960, 57, "late")
    score = Score(title, (note,), tempo=(TempoMark(0, 90.0),), key=Key(9, "minor"))
    (folder / "score.json").write_text(score.to_json())
    done = dataclasses.replace(fresh, title=title, clip="clip.mp3", seconds=2.0)
    library.write(done)
    (folder / "clip.json").write_text(json.dumps({"mp3": "clip.mp3"}))
    return done


def tone(path: Path, codec: list[str]) -> None:
    """Two seconds of A2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ["-f", "lavfi", "-i", "sine=frequency=110:duration=2:sample_rate=48000"]
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *source, *codec, str(path)],
        check=True,
        timeout=60,
    )
