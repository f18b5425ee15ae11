"""Songs: ordered, followed, posted once; what is under them."""

from __future__ import annotations

import dataclasses
import io
import zipfile

import pytest

from persona.stages.discord.bot import DiscordStage
from persona.stages.discord.say import nonce_of
from skills.address import Address
from skills.post import Post
from tests.persona.discord.house import make_song


def sent(t, channel=None):
    path = f"/channels/{(channel or t.channel).id}/messages"
    return [r for r in t.env.http_requests if r.method == "POST" and r.path == path]


def edits(t, message):
    return [
        r for r in t.env.http_requests if r.method == "PATCH" and r.path.endswith(f"/messages/{message.id}")
    ]


async def test_slash_song_says_on_it_at_once_with_its_place_in_the_queue(theatre):
    async with theatre() as t:
        t.order(t.bob, "something before")
        result = await t.ann.slash(
            t.channel, "song", theme="the last train home", dedication="Maya", style="blues"
        )
        assert result.acknowledged and not result.ephemeral
        text = result.response.content
        assert "the last train home" in text and "Maya" in text and "1" in text
        [mine] = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")
        assert (mine.request.brief.theme, mine.request.brief.dedication) == ("the last train home", "Maya")
        assert str(mine.request.address) == f"discord:{t.guild.id}/{t.channel.id}"


async def test_mood_style_and_length_are_completed_while_typing(theatre):
    async with theatre() as t:
        styles = await t.ann.autocomplete(t.channel, "song", "style", "bl")
        assert styles[0]["value"] == "blues"
        assert "lonely" in [c["value"] for c in await t.ann.autocomplete(t.channel, "song", "mood", "lone")]
        assert len(await t.ann.autocomplete(t.channel, "song", "mood", "")) == 25
        assert [c["value"] for c in await t.ann.autocomplete(t.channel, "song", "length", "3")] == [30]


async def test_one_message_is_edited_as_the_song_moves_and_not_too_often(theatre, monkeypatch):
    async with theatre(takes_orders=True) as t:
        await t.ann.send(t.channel, f"{t.me} a slow blues about the last train home")
        await t.look()
        [reply] = t.said()
        assert reply.content.startswith("On it.") and "\n-# " in reply.content
        song = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")[0].request.id
        before = len(edits(t, reply))
        now = [t.stage.main.orders.now() + 100]
        monkeypatch.setattr(t.stage.main.orders, "now", lambda: now[0])
        _at_work(t, song, monkeypatch, lambda: {"lyrics": 1.0, "score": 1.0, "sing": (now[0] % 100) / 100})
        for _ in range(10):
            now[0] += 0.5
            await t.look()
        assert 1 <= len(edits(t, reply)) - before <= 3
        assert "▰" in t.said()[0].content and "%" in t.said()[0].content


async def test_after_a_restart_progress_goes_on_in_the_same_message(theatre):
    async with theatre(takes_orders=True) as t:
        await t.ann.send(t.channel, f"{t.me} a song about rain")
        await t.look()
        song = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")[0].request.id
        await t.env.restart_bot(DiscordStage(t.parts, shard_count=1))
        t.parts.skills.book.cancel(song)
        await t.look()
        [reply] = t.said()
        assert t.stage.main.lines.say("ended_cancelled", song) in reply.content


async def test_the_clip_comes_as_a_file_with_words_and_buttons_in_reply_to_the_one_who_asked(theatre):
    async with theatre(takes_orders=True) as t:
        asked = await t.ann.send(t.channel, f"{t.me} a song about the last train home")
        await t.look()
        song = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")[0].request.id
        t.finished(song)
        await t.look()
        clip = t.said()[-1]
        assert [a.filename for a in clip.attachments] == ["Last Train Home.mp3"]
        assert "||The last train home is late" in clip.content
        assert clip.reference.message_id == asked.id
        ids = [child.custom_id for row in clip.components for child in row.children]
        whats = "take faster slower higher lower play words stems share report".split()
        assert ids == [f"song:{what}:{song}" for what in whats]
        assert sent(t)[-1].json["nonce"] == nonce_of(f"{song}:clip") and len(nonce_of(song)) <= 25
        assert sent(t)[-1].json["enforce_nonce"] is True


async def test_the_clip_does_not_need_the_interaction_that_asked_for_it(theatre):
    """Its token dies after 15 minutes, and a render may take longer."""
    async with theatre() as t:
        await t.ann.slash(t.channel, "song", theme="a long wait")
        t.stage._look.cancel()  # or simulated time would stop at every second of the twenty minutes
        await t.env.advance_time(20 * 60)
        song = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")[0].request.id
        t.finished(song)
        await t.stage._look()
        assert t.said()[-1].attachments
        assert t.ann.mention in t.said()[-1].content
        assert sent(t)[-1].json["allowed_mentions"]["users"] == [t.ann.id]


async def test_a_clip_is_posted_once_even_if_the_process_died_between_posting_and_writing_it_down(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        assert len(sent(t)) == 2, "progress and clip"
        # As if the process had been killed after Discord took the post: the outbox does not know of it.
        t.parts.store.write("update outbox set message = '', due = 0")
        await t.env.restart_bot(DiscordStage(t.parts, shard_count=1))
        await t.look()
        assert len([m for m in t.said() if m.attachments]) == 1
        assert t.parts.outbox.due() == []


async def test_a_post_that_discord_failed_to_take_is_tried_again_with_the_same_nonce(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        t.env.inject_error("POST", f"/channels/{t.channel.id}/messages", status=500, times=1)
        await t.look()
        for _ in range(4):
            await t.env.advance_time(10)
        assert len([m for m in t.said() if m.attachments]) == 1


async def test_without_attach_files_the_channel_is_told_what_lacks_and_the_fan_gets_the_song(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        t.deny("attach_files")  # the server's invite lacked it
        await t.look()
        assert any("Attach Files" in m.content for m in t.said())
        [private] = [m for m in t.said(t.ann.user.dm_channel) if m.attachments]
        assert private.attachments[0].filename == "Last Train Home.mp3"


async def test_a_clip_of_twelve_megabytes_is_made_to_fit_ten(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song, kilobytes=12_000)
        await t.look()
        [file] = t.said()[-1].attachments
        assert file.size < 10 * 1024 * 1024


async def test_the_words_button_works_after_a_restart(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        clip = t.said()[-1]
        await t.env.restart_bot(DiscordStage(t.parts, shard_count=1))
        result = await t.bob.click(clip, custom_id=f"song:words:{song}")
        assert result.ephemeral and "The last train home is late" in result.response.content


@pytest.mark.parametrize("what", ["take", "faster", "slower", "higher", "lower"])
async def test_a_song_is_made_over(theatre, what):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        result = await t.bob.click(t.said()[-1], custom_id=f"song:{what}:{song}")
        assert not result.ephemeral and result.response.content
        [again] = t.parts.skills.book.of_fan(f"discord:{t.bob.id}")
        assert again.request.version_of == song
        changes = {"take": {"take": True}, "faster": {"tempo": 100.8}, "slower": {"tempo": 80.4},
                   "higher": {"key": "+2"}, "lower": {"key": "-2"}}  # fmt: skip
        assert again.request.change == changes[what]


async def test_stems_come_to_the_one_who_asked_alone(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        result = await t.bob.click(t.said()[-1], custom_id=f"song:stems:{song}")
        assert result.ephemeral
        [file] = result.response.attachments
        assert file.filename == "Last Train Home - stems.zip"
        with zipfile.ZipFile(io.BytesIO(await file.read())) as packed:
            assert sorted(packed.namelist()) == [
                "Last Train Home - guitar.flac",
                "Last Train Home - vocal.flac",
            ]


async def test_reports_are_kept_once_per_fan_and_told_to_the_moderators(theatre):
    async with theatre() as t:
        desk = t.guild.create_text_channel("desk")
        await t.mod.slash(t.channel, "setup reports", channel=desk)
        song = t.order()
        t.finished(song)
        await t.look()
        clip = t.said()[-1]
        for _ in range(2):
            await t.bob.click(clip, custom_id=f"song:report:{song}")
        assert len(t.said(desk)) == 1 and clip.jump_url in t.said(desk)[0].content
        assert t.parts.store.read("select song, fan from reports") == [(song, f"discord:{t.bob.id}")]


async def test_a_fan_gets_so_many_songs_a_day_by_command_button_or_talk(theatre):
    async with theatre(takes_orders=True, says=None) as t:
        await t.mod.slash(t.channel, "setup songs", per_day=1)
        await t.ann.slash(t.channel, "song", theme="one")
        refused = await t.ann.slash(t.channel, "song", theme="two")
        assert refused.response.content == t.stage.main.lines.say(
            "enough_songs", str(refused._interaction.id), most=1
        )
        assert len(t.parts.skills.book.of_fan(f"discord:{t.ann.id}")) == 1
        await t.bob.slash(t.channel, "song", theme="another fan is another fan")
        assert len(t.parts.skills.book.of_fan(f"discord:{t.bob.id}")) == 1


async def test_queue_shows_ones_own_and_cancel_takes_it_out(theatre):
    async with theatre() as t:
        song = t.order(theme="the rusty gate")
        t.order(t.bob, "the other one")
        shown = await t.ann.slash(t.channel, "queue")
        assert (
            shown.ephemeral
            and "the rusty gate" in shown.response.content
            and "the other one" not in shown.response.content
        )
        await t.bob.slash(t.channel, "cancel", song=song)
        assert t.parts.skills.book.status(song).open, "nobody cancels another fan's song"
        await t.ann.slash(t.channel, "cancel")
        assert t.parts.skills.book.status(song).state == "cancelled"


async def test_mysongs_lists_what_was_made_for_the_fan_with_links(theatre):
    async with theatre() as t:
        t.finished(t.order())
        await t.look()
        mine = await t.ann.slash(t.channel, "mysongs")
        assert "Last Train Home" in mine.response.content and str(t.said()[-1].id) in mine.response.content
        assert "Last Train Home" not in (await t.bob.slash(t.channel, "mysongs")).response.content


async def test_sing_takes_the_fans_own_words_as_they_are(theatre):
    async with theatre() as t:
        await t.sing(t.ann, "My gate is old\nand so am I", "slow blues")
        [mine] = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")
        assert mine.request.brief.words == "My gate is old\nand so am I"
        assert mine.request.brief.style == "blues"


async def test_voice_messages_go_out_with_length_and_flag_where_the_server_wants_them(theatre):
    async with theatre() as t:
        await t.mod.slash(t.channel, "setup voice", on=True)
        t.finished(t.order())
        await t.look()
        await t.look()
        assert t.said()[-1].flags.voice


async def test_words_can_go_into_a_thread(theatre):
    async with theatre() as t:
        await t.mod.slash(t.channel, "setup words", place="thread")
        t.finished(t.order())
        await t.look()
        await t.look()
        [thread] = t.channel.threads
        assert "The last train home is late" in t.said(thread)[-1].content
        assert "||" not in t.said()[-1].content


async def test_an_apology_is_posted_where_the_song_was_asked_for(theatre):
    async with theatre() as t:
        song = t.order()
        t.parts.outbox.inbox.post(
            Post(f"{song}:apology", t.parts.skills.book.status(song).request.address, "It broke.")
        )
        await t.look()
        assert "It broke." in t.said()[-1].content


async def test_a_channel_that_is_gone_does_not_hold_up_the_others(theatre):
    async with theatre() as t:
        make_song(t.parts.skills.library, "lost", "Lost")
        t.parts.outbox.inbox.post(Post("lost:clip", Address("discord", f"{t.guild.id}/12345"), "gone",
                                 t.parts.skills.library.folder("lost") / "clip.mp3"))  # fmt: skip
        t.finished(t.order())
        await t.look()
        assert t.said()[-1].attachments
        assert t.parts.outbox.due() == []


def _at_work(t, song, monkeypatch, progress):
    """The book says that the song is being made, as far as `progress()` goes."""
    book = t.parts.skills.book
    real = book.open_requests

    def at_work():
        return [
            dataclasses.replace(s, state="at work", progress=progress()) if s.request.id == song else s
            for s in real()
        ]

    monkeypatch.setattr(book, "open_requests", at_work)
