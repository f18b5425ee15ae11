"""/perform, with a scripted voice connection: simulated Discord has no voice servers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import discord
import imageio_ffmpeg
import pytest

from tests.persona.discord.house import tone

# discord.py closes the process of a finished FFmpegOpusAudio, but not its pipe.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class ScriptedVoice:
    """Plays nothing; a song ends when the test says so."""

    def __init__(self, channel):
        self.channel, self.played, self.after, self.left = channel, [], None, False

    def play(self, source, *, after=None):
        self.played.append(source)
        self.after = after
        source.cleanup()

    def stop(self):
        if self.after is not None:
            after, self.after = self.after, None
            after(None)

    async def disconnect(self, *, force=False):
        self.left = True


async def until(condition):
    """Waits for what a song's end sets off: simulated Discord does not see the player's thread."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def hall(theatre):
    """A theatre with a voice channel, and the connections that were made."""

    @asynccontextmanager
    async def opened():
        async with theatre() as t:
            voices = []

            async def connect(channel):
                voices.append(ScriptedVoice(channel))
                return voices[-1]

            t.stage.performer.connect = connect
            t.room = t.guild.create_voice_channel("the back room")
            t.voices = voices
            yield t

    return opened


async def test_it_comes_along_plays_the_set_shows_what_is_playing_and_leaves(hall):
    async with hall() as t:
        for theme, title in (("one", "First Song"), ("two", "Second Song")):
            t.finished(t.order(theme=theme), title)
            await t.look()
        await t.ann.join_voice(t.room)
        await t.ann.slash(t.channel, "perform")
        [voice] = t.voices
        assert voice.channel.id == t.room.id
        assert "Second Song" in t.said()[-1].content and len(voice.played) == 1
        assert voice.played[0].is_opus(), "the Opus file goes out as it is"
        voice.stop()
        await until(lambda: len(voice.played) == 2 and "First Song" in t.said()[-1].content)
        voice.stop()
        await until(lambda: voice.left)
        assert t.stage.performer.on_stage == {}
        assert [entry.fans for entry in t.stage.main.charts.top(t.guild.id, 0)] == [1, 1], (
            "listening counts as a play"
        )


async def test_skip_and_leave_work_and_it_leaves_when_alone(hall):
    async with hall() as t:
        for theme in ("one", "two", "three"):
            t.finished(t.order(theme=theme), theme.title())
        await t.look()
        await t.ann.join_voice(t.room)
        await t.ann.slash(t.channel, "perform")
        [voice] = t.voices
        await t.ann.click(t.said()[-1], label="Skip")
        assert len(voice.played) == 2 and not voice.left
        await t.ann.click(t.said()[-1], label="Leave")
        assert voice.left
        await t.ann.slash(t.channel, "perform", song="One")
        assert len(t.voices) == 2
        await t.ann.leave_voice()
        assert t.voices[1].left, "nobody sings to empty chairs"


async def test_buttons_of_a_performance_that_is_over_say_so(hall):
    async with hall() as t:
        t.finished(t.order())
        await t.look()
        await t.ann.join_voice(t.room)
        await t.ann.slash(t.channel, "perform")
        shown = t.said()[-1]
        t.voices[0].stop()
        await until(lambda: t.voices[0].left)
        result = await t.ann.click(shown, label="Skip")
        assert result.ephemeral and result.response.content


async def test_what_it_needs_is_said(hall):
    async with hall() as t:
        result = await t.ann.slash(t.channel, "perform")
        assert "voice channel" in result.response.content
        await t.ann.join_voice(t.room)
        result = await t.ann.slash(t.channel, "perform")
        assert "/song" in result.response.content
        t.finished(t.order())
        await t.look()
        t.deny("connect", "speak", channel=t.room)
        result = await t.ann.slash(t.channel, "perform")
        assert "Connect, Speak" in result.response.content and t.voices == []


async def test_a_voice_server_that_does_not_answer_is_a_sentence(hall):
    async with hall() as t:
        t.finished(t.order())
        await t.look()
        await t.ann.join_voice(t.room)

        async def connect(channel):
            raise TimeoutError

        t.stage.performer.connect = connect
        result = await t.ann.slash(t.channel, "perform")
        assert "try again" in result.response.content


async def test_songs_of_another_server_are_not_played_here(hall):
    async with hall() as t:
        t.finished(t.order())
        await t.look()
        assert t.parts.store.write("update posted set guild = '77'") == 1
        await t.ann.join_voice(t.room)
        await t.ann.slash(t.channel, "perform", song="Last Train Home")
        assert t.voices == []


def test_an_opus_file_is_read_without_being_encoded_anew(tmp_path):
    tone(tmp_path / "clip.ogg", ["-c:a", "libopus", "-b:a", "64k"])
    source = discord.FFmpegOpusAudio(
        str(tmp_path / "clip.ogg"), codec="copy", executable=imageio_ffmpeg.get_ffmpeg_exe()
    )
    packets = 0
    while source.read():
        packets += 1
    source.cleanup()
    assert 95 <= packets <= 105, "two seconds in packets of 20 ms"
