"""Buttons under a song. Their ids say all that they need, so that they work after any restart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Self

import discord

from skills.library import SONG_ID

if TYPE_CHECKING:
    from persona.stages.discord.bot import DiscordStage

LABELS: Final[dict[str, tuple[str, str]]] = {  # two rows of five at most
    "take": ("Another take", "🎲"),
    "faster": ("Faster", "⏩"),
    "slower": ("Slower", "🐢"),
    "higher": ("Higher", "🔼"),
    "lower": ("Lower", "🔽"),
    "play": ("Play", "▶️"),
    "words": ("Words", "📜"),
    "stems": ("Stems", "🎚️"),
    "share": ("Share", "💌"),
    "report": ("Report", "🚩"),
}
REMAKES: Final = ("take", "faster", "slower", "higher", "lower")
_SONG = SONG_ID.pattern
_TEMPLATE = re.compile(rf"song:(?P<what>{'|'.join(LABELS)}):(?P<song>{_SONG})")


class SongButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """One button of one song."""

    def __init__(self, what: str, song: str) -> None:
        label, emoji = LABELS[what]
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=emoji,
                style=discord.ButtonStyle.secondary,
                custom_id=f"song:{what}:{song}",
                row=0 if what in REMAKES else 1,
            )
        )
        self.what, self.song = what, song

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["what"], match["song"])

    async def interaction_check(self, interaction: discord.Interaction[DiscordStage], /) -> bool:  # type: ignore[override]
        return await interaction.client.welcome(interaction)

    async def callback(self, interaction: discord.Interaction[DiscordStage]) -> None:  # type: ignore[override]
        await interaction.client.act_of(self.song).songs.press(interaction, self.what, self.song)


class StageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"stage:(?P<what>skip|leave):(?P<guild>\d+)"
):
    """Skip or leave, under what is playing in a voice channel."""

    def __init__(self, what: str, guild: int) -> None:
        label, emoji = {"skip": ("Skip", "⏭️"), "leave": ("Leave", "👋")}[what]
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=emoji,
                style=discord.ButtonStyle.secondary,
                custom_id=f"stage:{what}:{guild}",
            )
        )
        self.what, self.guild = what, guild

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["what"], int(match["guild"]))

    async def interaction_check(self, interaction: discord.Interaction[DiscordStage], /) -> bool:  # type: ignore[override]
        return await interaction.client.welcome(interaction)

    async def callback(self, interaction: discord.Interaction[DiscordStage]) -> None:  # type: ignore[override]
        await interaction.client.performer.press(interaction, self.what)


def song_buttons(song: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for what in LABELS:
        view.add_item(SongButton(what, song))
    return view


def stage_buttons(guild: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(StageButton("skip", guild))
    view.add_item(StageButton("leave", guild))
    return view
