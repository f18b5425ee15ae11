"""Every part, built here and handed to who needs it. Nothing is built before it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from persona.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from memory.embedder import Embedder
    from memory.memory import Memory
    from persona.agent import Artist
    from persona.announcer import Announcer
    from persona.card import Card
    from persona.forgetting import Forgetting, Receipt
    from persona.guard.book import GuardBook
    from persona.guard.guard import Guard
    from persona.guard.judge import Policy
    from persona.keepsakes import Keepsakes
    from persona.meaning import Once
    from persona.posting import Posting
    from persona.stages.discord.wiring import DiscordWiring
    from skills.address import Address
    from skills.book import RequestBook
    from skills.brief import Brief
    from skills.database import Database
    from skills.library import Library
    from skills.post import Inbox, Place, PostBook
    from skills.provenance.operator import Operator
    from skills.requesting import Asker, Skills
    from skills.song import Studio
    from skills.words import Author
    from voice.engines.protocol import ScoreSinger
    from voice.network.network import Network
    from voice.singer import Singer


class House:
    """The parts of one running Troubadour, from one settings object."""

    def __init__(self, settings: Settings, host: House | None = None) -> None:
        """`host`: the house whose Discord account this artist speaks through."""
        self.settings, self.host = settings, host
        self.data = settings.data_dir.expanduser()

    # ---- what is heard

    @cached_property
    def network(self) -> Network:
        """What all voices of ours sing with."""
        from voice.weights import Source, load_network

        wanted = self.settings.voice
        return load_network(self.settings.cache_dir.expanduser(), wanted.threads, Source(wanted.weights))

    @cached_property
    def singer(self) -> Singer:
        """Our own singer, for what measures or fits it."""
        from voice.singer import Singer
        from voice.voices import load_voice

        voice = load_voice(self.settings.voice.name)  # first: a mistyped name need not wait for the weights
        return Singer(self.network, voice)

    @cached_property
    def score_singer(self) -> ScoreSinger:
        """Whoever sings the songs: our singer, or a voicebank's."""
        from voice.engines import engine, engine_of
        from voice.engines.own import OwnSinger

        wanted = self.settings.voice
        kind = engine_of(wanted.name)
        if kind == OwnSinger.engine:
            return OwnSinger(self.singer)
        return engine(
            kind,
            wanted.name,
            cache=self.settings.cache_dir.expanduser(),
            threads=wanted.threads,
            speaker=wanted.speaker,
            vocoders=wanted.vocoders,
        )

    def backing(self, voice: str) -> ScoreSinger:
        """A shipped voice of ours beside the lead, on the same network."""
        from voice.engines.own import OwnSinger
        from voice.singer import Singer
        from voice.voices import load_voice

        return OwnSinger(Singer(self.network, load_voice(voice)))

    @property
    def reach(self) -> tuple[int, int]:
        """The comfortable range of whoever sings, as MIDI numbers; our own singer's without loading the network."""
        from voice.engines import engine_of
        from voice.engines.own import OwnSinger
        from voice.voices import load_voice

        name = self.settings.voice.name
        if engine_of(name) == OwnSinger.engine:
            comfortable = load_voice(name).comfortable
            return comfortable.low, comfortable.high
        return self.score_singer.low, self.score_singer.high

    @cached_property
    def library(self) -> Library:
        from skills.library import Library
        from skills.store import Store

        at = self.settings.songs.store
        key, secret = at.key.get_secret_value(), at.secret.get_secret_value()
        return Library(self.data / "songs", Store(at.url, at.endpoint, key, secret) if at.url else None)

    def studio(self, library: Library, used: Callable[[str], Collection[str]]) -> Studio:
        from skills.song import Studio
        from voice.engines import engine_of
        from voice.engines.own import OwnSinger

        return Studio(
            library=library,
            author=lambda: self.author,
            singer=lambda: self.score_singer,
            voice=self.settings.voice.name,
            artist=self.card.artist_credit,
            used=used,
            reach=lambda: self.reach,
            operator=lambda: self.operator,
            backing=self.backing if engine_of(self.settings.voice.name) == OwnSinger.engine else None,
            writer=self.writer,
            palette=self.card.palette,
        )

    @cached_property
    def operator(self) -> Operator:
        """Whose certificate signs the clips: the one that the settings name, or our own, made at first start."""
        from skills.provenance.operator import load_operator

        wanted = self.settings.provenance
        return load_operator(self.data / "keys", wanted.certificate, wanted.key)

    # ---- what is said

    @cached_property
    def card(self) -> Card:
        from persona.card import load_card

        return load_card(self.settings.persona)

    @cached_property
    def embedder(self) -> Embedder:
        from memory.embedder import Embedder

        return self.host.embedder if self.host else Embedder()

    @cached_property
    def learn(self) -> Once:
        """Embeds what the router and the judge learn from."""
        from persona.meaning import Once

        return Once(self.embedder)

    @cached_property
    def memory(self) -> Memory:
        from memory.memory import Memory

        server = self.settings.memory.server or None
        ask = self._ask if self.settings.chat.model == "endpoint" else None
        return Memory(self.data / "memory", self.embedder, server, ask)

    def _ask(self, system: str, user: str) -> str:
        """A plain question to the chat model, which is built when it is first needed."""
        from persona.models import ask_with

        return ask_with(self.chat_model)(system, user)

    @cached_property
    def forgetting(self) -> Forgetting:
        from persona.forgetting import Forgetting

        return Forgetting(self)

    def tidy(self) -> Receipt:
        """Lets go of what is older than the settings say."""
        from memory.forgetting import Retention

        keep = self.settings.memory.keep
        return self.forgetting.tidy(Retention(**keep.model_dump(exclude={"requests"})), keep.requests)

    @cached_property
    def author(self) -> Author:
        """Who writes lyrics: the endpoint's model where one is set, else the written material."""
        from skills.words import EmbeddedAuthor, EndpointAuthor

        written = EmbeddedAuthor(self.embedder)
        if self.settings.chat.model == "embedded":
            return written
        from persona.models import ask_with

        return EndpointAuthor(ask_with(self.chat_model), written, self.guard.sayable)

    @property
    def writer(self) -> str:
        """The language model that writes lyrics, '' where none does."""
        chat = self.settings.chat
        if chat.model == "gguf":
            return chat.gguf.name if chat.gguf else "gguf"
        return "" if chat.model == "embedded" else chat.name or "endpoint"

    @cached_property
    def chat_model(self) -> BaseChatModel:
        from persona.models import chat_model
        from persona.models.timing import Timing

        chosen = self.settings.chat
        cache = self.settings.cache_dir.expanduser()
        model = chat_model(chosen, self.card, self.embedder, cache, self.learn)
        model.callbacks = [Timing(self.writer or chosen.model, lambda: self.database)]
        return model

    @cached_property
    def skills(self) -> Skills:
        from skills.requesting import Skills

        return Skills(self.book, self.library, lambda: self.author, self.settings.songs.seconds, self._permit)

    def _permit(self, asker: Asker, brief: Brief) -> None:
        """What is not sung for anybody, then each stage's own limits; the terminal has none."""
        self.guard.permit(asker, brief)
        if asker.address.stage == "discord":
            self.discord.limits.permit(asker, brief)

    @cached_property
    def artist(self) -> Artist:
        from persona.agent import Artist

        return Artist(
            self.card,
            self.chat_model,
            self.memory,
            self.skills,
            self.guard,
            self.settings.memory.words,
            self.forgetting,
            self.keepsakes,
        )

    @cached_property
    def guard_book(self) -> GuardBook:
        from persona.guard.book import GuardBook

        return GuardBook(self.data / "guard.sqlite")

    @cached_property
    def guard(self) -> Guard:
        """What is let in and what is let out, everywhere."""
        from persona.guard.guard import Guard
        from persona.guard.judge import Judge
        from persona.guard.moderation import moderation_of
        from persona.guard.private import Private
        from persona.prompt import private_parts

        judge = Judge(self.embedder, cache=self.settings.cache_dir.expanduser(), learn=self.learn)
        private, asked = Private(private_parts(self.card)), moderation_of(self.settings)
        return Guard(judge, self.guard_book, private, self._policy, moderation=asked)

    def _policy(self, address: Address) -> Policy:
        """A server's own choice, else the operator's."""
        from persona.guard.judge import Policy

        if address.stage == "discord":
            from persona.stages.discord.places import place_of

            guild, _ = place_of(address)
            if guild in self.discord.servers.all():
                return self.discord.servers.of(guild).policy

        chosen = self.settings.guard
        return Policy(chosen.strictness, chosen.minors)

    @cached_property
    def announcer(self) -> Announcer:
        from persona.announcer import Announcer
        from persona.repertoire import Repertoire

        return Announcer(Repertoire.of(self.card), self.keepsakes)

    # ---- what lasts

    @cached_property
    def database(self) -> Database:
        from skills.database import Database

        self.data.mkdir(parents=True, exist_ok=True)
        at = self.settings.songs.database_url.get_secret_value()
        return Database(at or f"sqlite:///{self.data.absolute() / 'requests.sqlite'}")

    @cached_property
    def book(self) -> RequestBook:
        from skills.book import RequestBook

        return RequestBook(self.database, self.settings.songs.a_day)

    @cached_property
    def inbox(self) -> Inbox:
        """Where any process leaves what the terminal or Discord is to show."""
        from skills.post import Inbox

        return Inbox(self.database, self.library)

    @cached_property
    def keepsakes(self) -> Keepsakes:
        from persona.keepsakes import Keepsakes

        return Keepsakes(self.database, self.card.name)

    @cached_property
    def posts(self) -> PostBook:
        from skills.post import PostBook

        stages: dict[str, Place] = {"terminal": self.inbox, "discord": self.inbox}
        return PostBook(self.database, stages | self.posting.places)

    @cached_property
    def posting(self) -> Posting:
        """What the artist posts by itself, and where."""
        from persona.posting import Posting

        return Posting(self)

    @cached_property
    def discord(self) -> DiscordWiring:
        from persona.stages.discord.wiring import DiscordWiring

        return DiscordWiring(self)

    def verified(self, path: Path) -> tuple[str, ...]:
        """Where a file comes from, in sentences."""
        from skills.provenance.verify import verify

        return tuple(verify(path, self.operator.anchors, self.library).sentences)

    # ---- who works

    @contextmanager
    def working(self, required: bool = False) -> Iterator[None]:
        """This process makes songs from the queue meanwhile, unless another one does (or raises, if `required`)."""
        from persona.tidying import tidying
        from skills.worker import Worker, WorkerBusy

        studio = self.studio(self.library, self.library.used_lines)
        worker = Worker(
            self.book,
            self.data / "worker.lock",
            studio,
            self.posts,
            self.announcer,
            concurrency=self.settings.songs.at_once,
            deadline=self.settings.songs.deadline * 3600.0,
        )
        try:
            worker.start()
        except WorkerBusy:
            if required:
                raise
            with worker.in_waiting(), self.posting.going_round():
                yield  # who makes the songs may leave before ours is sung
        else:
            try:
                with tidying(self), self.posting.going_round():
                    yield
            finally:
                worker.close()
        finally:
            if "chat_model" in self.__dict__:
                from persona.models import release_model

                release_model(self.chat_model)  # the worker wrote lyrics with it
