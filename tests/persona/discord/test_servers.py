"""What servers get: /setup, permissions, charts, privacy; user installs; one process per token."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import discord
import pytest

from persona.forgetting import Receipt
from persona.guard.judge import Policy
from persona.guard.rules import Verdict
from persona.stages.discord import permissions
from persona.stages.discord.bot import DiscordStage
from persona.stages.discord.keeps import KeepsNothing
from persona.stages.discord.lines import Lines
from persona.stages.discord.pace import Pace, Rate
from persona.stages.discord.token import TokenHeld, hold_token


async def test_setup_is_for_moderators_and_shows_safe_defaults(theatre):
    async with theatre() as t:
        with pytest.raises(Exception, match="setup"):
            await t.ann.slash(t.channel, "setup show")
        shown = (await t.mod.slash(t.channel, "setup show")).response.content
        for default in (
            "mention",
            "Explicit language:** off",
            "Voice messages:** off",
            "Quiet hours:** none",
        ):
            assert default in shown


async def test_what_was_set_up_is_still_set_up_after_a_restart(theatre):
    async with theatre() as t:
        await t.mod.slash(t.channel, "setup channel", channel=t.channel, mode="off")
        await t.mod.slash(t.channel, "setup quiet", start=22, end=7, timezone="Europe/Berlin")
        await t.mod.slash(t.channel, "setup joining", minutes=5, chance=50)
        await t.mod.slash(t.channel, "setup everywhere", mode="open")
        from tests.persona.discord.house import build

        parts = build(t.parts.store.path.parent)
        chosen = parts.servers.of(t.guild.id)
        assert (chosen.mode, chosen.quiet_from, chosen.timezone, chosen.join_chance) == (
            "open",
            22,
            "Europe/Berlin",
            50,
        )
        assert parts.servers.mode(t.guild.id, t.channel.id) == "off"
        parts.elsewhere.close()
        parts.skills.book.close()


async def test_moderators_choose_how_careful_it_is_and_see_why_it_declined(theatre):
    async with theatre() as t:
        shown = await t.mod.slash(t.channel, "setup guard", strictness="strict", minors=True)
        assert "strict, for young people" in shown.response.content
        assert t.stage.servers.of(t.guild.id).policy == Policy("strict", minors=True)
        told = Verdict("out_of_bounds", "hate", "judged 0.80")
        t.stage.guard_book.count(told, f"discord:{t.guild.id}", discord.utils.utcnow())
        t.stage.guard_book.count(Verdict("crisis", "_"), "discord:999", discord.utils.utcnow())
        listed = (await t.mod.slash(t.channel, "setup incidents")).response.content
        assert "hate" in listed and "judged" in listed and "crisis" not in listed
        with pytest.raises(Exception, match="setup"):
            await t.ann.slash(t.channel, "setup incidents")


async def test_setup_refuses_a_time_zone_that_is_none(theatre):
    async with theatre() as t:
        result = await t.mod.slash(t.channel, "setup quiet", start=1, end=2, timezone="Mars/Olympus")
        assert "no time zone" in result.response.content
        assert t.stage.servers.of(t.guild.id).quiet_from is None


async def test_check_names_what_is_missing_and_links_to_exactly_what_is_needed(theatre):
    async with theatre() as t:
        fine = (await t.mod.slash(t.channel, "setup check")).response.content
        assert fine.startswith("✅")
        t.deny("attach_files", "read_message_history")
        missing = (await t.mod.slash(t.channel, "setup check")).response.content
        assert (
            t.channel.mention in missing and "Attach Files" in missing and "Read Message History" in missing
        )
        assert permissions.invite(t.stage.application_id) in missing


def test_the_invite_asks_for_attach_files_and_for_nothing_of_a_moderator():
    wanted = permissions.wanted()
    assert wanted.attach_files and wanted.send_messages and wanted.read_message_history
    for power in (
        "administrator",
        "manage_guild",
        "manage_messages",
        "manage_roles",
        "mention_everyone",
        "kick_members",
    ):
        assert not getattr(wanted, power)
    assert "permissions=" in permissions.invite(1) and "applications.commands" in permissions.invite(1)


async def test_explicit_language_is_refused_until_the_server_allows_it(theatre):
    async with theatre() as t:
        await t.sing(t.ann, "this fucking rain")
        assert t.parts.skills.book.of_fan(f"discord:{t.ann.id}") == []
        await t.mod.slash(t.channel, "setup explicit", on=True)
        await t.sing(t.ann, "this fucking rain")
        assert len(t.parts.skills.book.of_fan(f"discord:{t.ann.id}")) == 1


# ---- charts


async def test_reactions_and_shares_count_once_per_fan(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        clip = t.said()[-1]
        for emoji in ("❤️", "🔥"):
            await t.ann.react(clip, emoji)
        await t.bob.react(clip, "❤️")
        for _ in range(3):
            await t.bob.click(clip, custom_id=f"song:share:{song}")
        [entry] = t.stage.main.charts.top(t.guild.id, 0)
        assert (entry.points, entry.fans, entry.title) == (1 + 1 + 3, 2, "Last Train Home")
        await t.bob.unreact(clip, "❤️")
        await t.ann.unreact(clip, "🔥")
        assert t.stage.main.charts.top(t.guild.id, 0)[0].points == 1 + 3
        shown = await t.ann.slash(t.channel, "chart")
        assert "🥇" in shown.response.content and "Last Train Home" in shown.response.content
        assert t.stage.main.charts.hits() == ["Last Train Home"]


async def test_the_weekly_chart_is_posted_once_even_over_a_restart(theatre):
    kept = Kept()
    async with theatre(keeps=kept) as t:
        hall = t.guild.create_text_channel("hall")
        await t.mod.slash(t.channel, "setup chart", channel=hall, day="Friday", hour=18)
        song = t.order()
        t.finished(song)
        await t.look()
        await t.ann.react(t.said()[-1], "❤️")
        thursday, friday = datetime(2026, 11, 19, 20, tzinfo=UTC), datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
        t.parts.store.write("update liked set at = ?", thursday.timestamp())
        assert await t.stage.main.charts.look(thursday) == []
        assert kept.hit == ("Last Train Home", t.guild.id), (
            "the artist knows its hits before the chart is posted"
        )
        assert len(await t.stage.main.charts.look(friday)) == 1
        assert await t.stage.main.charts.look(friday) == []
        await t.look()
        await t.env.restart_bot(DiscordStage(t.parts, shard_count=1))
        assert await t.stage.main.charts.look(friday) == []
        await t.look()
        [post] = t.said(hall)
        assert "Last Train Home" in post.content and "🥇" in post.content


async def test_a_week_in_which_nobody_liked_anything_has_no_chart(theatre):
    async with theatre() as t:
        await t.mod.slash(t.channel, "setup chart", channel=t.channel, day="Monday", hour=0)
        assert await t.stage.main.charts.look(datetime(2026, 11, 20, 18, tzinfo=UTC)) == []


async def test_the_play_button_gives_the_song_to_the_one_who_pressed_and_counts_once(theatre):
    async with theatre() as t:
        song = t.order()
        t.finished(song)
        await t.look()
        for _ in range(2):
            played = await t.bob.click(t.said()[-1], custom_id=f"song:play:{song}")
            assert played.ephemeral and played.response.attachments[0].filename == "Last Train Home.mp3"
        assert [(e.points, e.fans) for e in t.stage.main.charts.top(t.guild.id, 0)] == [(2, 1)]


async def test_verify_says_where_a_file_comes_from_to_the_one_who_asked(theatre):
    def verify(path):
        return [f"{path.suffix}, {'ID3' if path.read_bytes()[:3] == b'ID3' else '?'}", "It is mine."]

    async with theatre(verify=verify) as t:
        told = await t.bob.slash(t.channel, "verify", file=("Song.MP3", b"ID3 and so on"))
        assert told.ephemeral and told.response.content == ".mp3, ID3\nIt is mine."


# ---- the fan's own


async def test_aboutme_says_that_it_is_an_ai(theatre):
    async with theatre() as t:
        told = await t.ann.slash(t.channel, "aboutme")
        assert told.ephemeral and "an AI" in told.response.content


async def test_privacy_says_what_is_kept_and_how_to_undo_it(theatre):
    async with theatre() as t:
        told = (await t.ann.slash(t.channel, "privacy")).response.content
        assert "`/forget`" in told and "`/export`" in told


class Kept(KeepsNothing):
    """A memory that notes what it was asked."""

    def __init__(self, *posted):
        self.forgotten, self.gone, self.posted = [], [], posted

    def export(self, fan):
        return {"said": "my dog is called Bruno", "by": fan.id}

    def page(self, export):
        return f"<p>{export['said']}</p>"

    def forget(self, fan, about, clips):
        self.forgotten.append((fan.id, about, clips))
        return Receipt(datetime.now(UTC), {"turn": 2}, posted=self.posted)

    def taken_back(self, message):
        self.gone.append(message)

    def number_one(self, title, guild):
        self.hit = (title, guild)


async def test_export_gives_all_of_ones_own_as_data_and_as_a_page(theatre):
    async with theatre(keeps=Kept()) as t:
        result = await t.ann.slash(t.channel, "export")
        assert result.ephemeral
        data, page = result.response.attachments
        assert json.loads(await data.read()) == {
            "said": "my dog is called Bruno",
            "by": f"discord:{t.ann.id}",
        }
        assert "Bruno" in (await page.read()).decode() and page.filename.endswith(".html")


async def test_forget_asks_once_more_then_has_everything_forgotten(theatre):
    kept = Kept()
    async with theatre(keeps=kept) as t:
        await t.ann.send_dm("my secret")
        asked = await t.ann.slash(t.channel, "forget")
        assert kept.forgotten == []
        told = await t.ann.click(asked.response, label="Forget me")
        mine = f"discord:{t.ann.id}"
        assert kept.forgotten == [(mine, "", False)]
        assert "2 things you said" in told.response.content, "a receipt says what went"
        assert t.artist.dropped == [f"discord:@me/{t.ann.user.dm_channel.id}#{mine}"], (
            "nor is the talk gone on with"
        )


async def test_one_matter_is_forgotten_and_the_posts_of_its_songs_are_taken_back(theatre):
    kept = Kept()
    async with theatre(keeps=kept) as t:
        t.finished(t.order())
        await t.look()
        post = t.said()[-1]
        kept.posted = ((str(t.channel.id), str(post.id)),)
        asked = await t.ann.slash(t.channel, "forget", about="my job", clips=True)
        await t.ann.click(asked.response, label="Forget me")
        assert kept.forgotten == [(f"discord:{t.ann.id}", "my job", True)]
        assert post.id not in [each.id for each in t.said()]


async def test_a_deleted_message_takes_what_was_kept_of_it_along(theatre):
    kept = Kept()
    async with theatre(keeps=kept) as t:
        message = await t.ann.send(t.channel, f"{t.me} my dog is called Bruno")
        await t.ann.delete(message)
        assert message.id in kept.gone


# ---- where the bot is not a member


async def test_commands_are_offered_in_private_and_to_those_who_installed_it_themselves(theatre):
    async with theatre() as t:
        [synced] = [r.json for r in t.env.http_requests if r.method == "PUT" and r.path.endswith("/commands")]
        commands = {command["name"]: command for command in synced}
        servers, themselves, in_servers, in_private_groups = 0, 1, 0, 2
        for name in (
            "song",
            "sing",
            "queue",
            "cancel",
            "mysongs",
            "chart",
            "aboutme",
            "forget",
            "export",
            "privacy",
            "verify",
        ):
            assert set(commands[name]["integration_types"]) == {servers, themselves}
            assert in_private_groups in commands[name]["contexts"]
        for name in ("setup", "perform"):
            assert commands[name]["integration_types"] == [servers] and commands[name]["contexts"] == [
                in_servers
            ]
        assert set(commands) == {"song", "sing", "queue", "cancel", "mysongs", "chart", "aboutme", "forget", "export",
                                 "privacy", "setup", "perform", "verify"}  # fmt: skip


async def test_where_the_server_has_not_installed_it_the_song_comes_in_private(theatre, monkeypatch):
    async with theatre() as t:
        monkeypatch.setattr(t.stage, "get_guild", lambda guild: None)
        result = await t.ann.slash(t.channel, "song", theme="far from home")
        assert "direct message" in result.response.content
        [mine] = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")
        assert str(mine.request.address) == f"discord:@me/{t.ann.user.dm_channel.id}"
        t.finished(mine.request.id)
        await t.look()
        assert t.said(t.ann.user.dm_channel)[-1].attachments


# ---- errors, late acknowledgements


@pytest.mark.parametrize("command", ["queue", "chart", "cancel", "export"])
async def test_a_command_is_acknowledged_before_anything_that_can_be_slow_is_begun(
    theatre, monkeypatch, command
):
    async with theatre(keeps=Kept()) as t:
        acknowledged = []

        def slow(real):
            def work(*anything, **named):
                acknowledged.append(any(r.path.endswith("/callback") for r in t.env.http_requests))
                return real(*anything, **named)

            return work

        charts, book, keeps = t.stage.main.charts, t.parts.skills.book, t.parts.keeps
        for part, name in ((charts, "text"), (book, "of_fan"), (keeps, "export")):
            monkeypatch.setattr(part, name, slow(getattr(part, name)))
        await t.ann.slash(t.channel, command)
        assert acknowledged and all(acknowledged)


async def test_who_presses_far_too_much_is_told_once_then_ignored_and_others_are_not(theatre):
    async with theatre(pace=Pace(press=Rate(2, 60.0))) as t:
        told = [await t.ann.slash(t.channel, "chart") for _ in range(4)]
        assert [each.acknowledged for each in told] == [True, True, True, False]
        assert told[2].response.content != told[1].response.content and told[2].ephemeral
        assert (await t.bob.slash(t.channel, "chart")).acknowledged


async def test_an_acknowledgement_that_came_too_late_loses_no_order(theatre):
    async with theatre() as t:
        t.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
        await t.ann.slash(t.channel, "song", theme="the last bus")
        [mine] = t.parts.skills.book.of_fan(f"discord:{t.ann.id}")
        assert mine.request.brief.theme == "the last bus"
        assert t.ann.mention in t.said()[-1].content and "the last bus" in t.said()[-1].content


async def test_a_command_that_breaks_gives_a_sentence_and_no_traceback(theatre, monkeypatch):
    async with theatre(check_errors=False) as t:

        def broken(*anything):
            raise RuntimeError("secret path /home/me")

        monkeypatch.setattr(t.parts.skills.book, "of_fan", broken)
        result = await t.ann.slash(t.channel, "mysongs")
        result = await t.ann.slash(t.channel, "queue")
        assert result.response.content and "secret" not in result.response.content


async def test_a_brief_that_cannot_be_sung_gets_the_reason(theatre):
    async with theatre() as t:
        result = await t.ann.slash(t.channel, "song", theme="🚂🚂🚂")
        assert "what the song should be about" in result.response.content
        result = await t.ann.slash(t.channel, "song", theme="rain", style="polka")
        assert "polka" in result.response.content and "blues" in result.response.content
        assert t.parts.skills.book.of_fan(f"discord:{t.ann.id}") == []


# ---- the operator's


async def test_costs_are_counted_by_server(theatre):
    async with theatre() as t:
        await t.ann.send(t.channel, f"{t.me} hi")
        await t.ann.send_dm("hi")
        t.finished(t.order())
        await t.look()
        t.stage.costs.flush()
        found = {cost.server: (cost.answers, cost.songs) for cost in t.stage.costs.all()}
        assert found == {str(t.guild.id): (1, 1), "@me": (1, 0)}


def test_one_process_holds_a_token_and_the_other_is_told_which(tmp_path):
    with hold_token("a-token", tmp_path):
        with pytest.raises(TokenHeld, match=r"process \d+ on .+, since"):
            hold_token("a-token", tmp_path)
        hold_token("another-token", tmp_path).close()
    hold_token("a-token", tmp_path).close()


def test_every_line_that_is_said_is_written_and_a_card_without_its_own_speaks_plainly():
    own, plain = Lines.load("breaking-rust"), Lines.load("nobody-wrote-lines-for-this-card")
    assert own.names == plain.names
    slots = dict.fromkeys(
        ["theme", "dedication", "ahead", "channel", "missing", "most", "style", "styles", "total", "left", "title",
         "link", "name", "count"], "x"
    )  # fmt: skip
    for lines in (own, plain):
        for name in lines.names:
            for seed in range(8):
                said = lines.say(name, str(seed), **slots)
                assert said and "{" not in said and len(said) < 1500


def test_a_blocked_loop_is_found_with_its_guilty_stack():
    import asyncio

    from persona.stages.discord.watch import Watchdog

    dog = Watchdog(late=0.2, every=0.02)

    async def guilty_of_sleeping() -> None:
        deadline = time.monotonic() + 10
        while not dog.found and time.monotonic() < deadline:
            time.sleep(0.02)

    async def run() -> Watchdog:
        dog.start()
        await guilty_of_sleeping()
        dog.stop()
        return dog

    dog = asyncio.run(run())
    assert [("guilty_of_sleeping" in late.stack, late.seconds > 0.2) for late in dog.found] == [(True, True)]
