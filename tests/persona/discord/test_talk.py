"""Talk: what is answered, what is not, and how."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import discord

from persona.encounter import Encounter
from persona.stages.discord.pace import Pace, Rate
from persona.stages.discord.servers import ServerSettings
from tests.persona.discord.house import Scripted


async def test_a_direct_message_is_answered_once(theatre):
    async with theatre() as t:
        await t.ann.send_dm("hello there")
        assert [m.content for m in t.said(t.ann.user.dm_channel)] == ["You said: hello there"]


async def test_in_a_channel_only_a_mention_or_a_reply_is_answered_and_as_a_reply_to_it(theatre):
    async with theatre() as t:
        await t.ann.send(t.channel, "nice weather today, all of you")
        assert t.said() == []
        called = await t.ann.send(t.channel, f"{t.me} how are you?")
        [answer] = t.said()
        assert answer.content == "You said: how are you?"
        assert answer.reference is not None and answer.reference.message_id == called.id
        back = await t.bob.send(t.channel, "and me?", reply_to=answer)
        assert t.said()[-1].content == "You said: and me?"
        assert t.said()[-1].reference.message_id == back.id


async def test_nobody_is_pinged_but_the_one_replied_to(theatre):
    async with theatre(says=lambda e: "hey @everyone @here <@1> <@&2>") as t:
        await t.ann.send(t.channel, f"{t.me} call them all")
        [sent] = [r for r in t.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
        assert sent.json["allowed_mentions"] == {"parse": [], "replied_user": True}
        assert not t.said()[0].mention_everyone


async def test_everyone_shared_roles_and_a_reply_to_others_call_nobody(theatre):
    async with theatre() as t:
        role = t.guild.create_role("Everybody")
        said = await t.mod.send(t.channel, f"@everyone @here {role.mention} song time")
        await t.ann.send(t.channel, "yes!", reply_to=said)
        assert t.said() == []


async def test_other_bots_webhooks_and_its_own_words_are_never_answered(theatre):
    async with theatre() as t:
        other = t.guild.add_member(t.env.create_user("otherbot", bot=True))
        await other.send(t.channel, f"{t.me} hello, fellow machine")
        await t.ann.send(t.channel, f"{t.me} hi")
        [mine] = t.said()
        await other.send(t.channel, "I heard you", reply_to=mine)
        await t.guild.create_webhook(t.channel, "Mirror").send(f"{t.me} hi")
        assert len(t.said()) == 1


async def test_several_quick_messages_are_one_turn_with_one_answer(theatre):
    async with theatre(gather=0.3) as t:
        create = t.env.backend.create_message
        create(t.channel.id, t.ann.id, f"{t.me} hey")
        create(t.channel.id, t.ann.id, "are you there")
        last = create(t.channel.id, t.ann.id, "sing something")
        await t.env.settle()
        [answer] = t.said()
        assert answer.content == "You said: hey\nare you there\nsing something"
        assert answer.reference.message_id == last.id


async def test_two_fans_at_once_get_an_answer_each_to_their_own_message(theatre):
    async with theatre(gather=0.2) as t:
        first = t.env.backend.create_message(t.channel.id, t.ann.id, f"{t.me} I am Ann")
        second = t.env.backend.create_message(t.channel.id, t.bob.id, f"{t.me} I am Bob")
        await t.env.settle()
        assert {m.reference.message_id: m.content for m in t.said()} == {
            first.id: "You said: I am Ann",
            second.id: "You said: I am Bob",
        }


async def test_an_edit_before_the_answer_counts_and_one_after_it_asks_nothing(theatre):
    async with theatre(gather=0.3) as t:
        message = t.env.backend.create_message(t.channel.id, t.ann.id, f"{t.me} a sogn")
        t.env.backend.edit_message(t.channel.id, message.id, {"content": f"{t.me} a song"})
        await t.env.settle()
        assert [m.content for m in t.said()] == ["You said: a song"]
        t.env.backend.edit_message(t.channel.id, message.id, {"content": f"{t.me} two songs"})
        await t.env.settle()
        assert len(t.said()) == 1


async def test_a_message_taken_back_is_not_answered_and_its_answer_is_taken_back(theatre):
    async with theatre(gather=0.3) as t:
        message = t.env.backend.create_message(t.channel.id, t.ann.id, f"{t.me} forget I asked")
        t.env.backend.delete_message(t.channel.id, message.id)
        await t.env.settle()
        assert t.said() == []
        said = await t.ann.send(t.channel, f"{t.me} hello")
        assert len(t.said()) == 1
        await t.ann.delete(said)
        assert t.said() == []


async def test_a_long_answer_is_split_at_sentences(theatre):
    sentence = "The train was late again and nobody on the platform said a word about it. "
    async with theatre(says=lambda e: (sentence * 60).strip()) as t:
        await t.ann.send(t.channel, f"{t.me} tell me everything")
        said = [m.content for m in t.said()]
        assert len(said) == 3
        assert all(len(each) <= 2000 and each.endswith("about it.") for each in said)
        assert " ".join(said) == (sentence * 60).strip()
        assert [m.reference is not None for m in t.said()] == [True, False, False]


async def test_threads_and_forum_posts_are_channels_like_others_with_their_parents_mode(theatre):
    async with theatre() as t:
        start = await t.ann.send(t.channel, "let us talk in here")
        t.env.backend.create_thread(t.channel.id, "talk", message_id=start.id, owner_id=t.ann.id)
        [handle] = t.channel.threads
        await t.ann.send(handle, f"{t.me} in a thread?")
        assert [m.content for m in t.said(handle)] == ["You said: in a thread?"]
        await t.stage.servers.set_mode(t.guild.id, t.channel.id, "off")
        await t.ann.send(handle, f"{t.me} still there?")
        assert len(t.said(handle)) == 1


async def test_a_channel_switched_off_stays_silent(theatre):
    async with theatre() as t:
        await t.stage.servers.set_mode(t.guild.id, t.channel.id, "off")
        await t.ann.send(t.channel, f"{t.me} hello?")
        assert t.said() == []


async def test_in_an_open_channel_it_joins_in_with_a_cooldown(theatre):
    async with theatre() as t:
        await t.stage.servers.set_mode(t.guild.id, t.channel.id, "open")
        await t.stage.servers.change(t.guild.id, join_chance=100, join_every=20)
        await t.ann.send(t.channel, "my dog ran away last night")
        await t.bob.send(t.channel, "oh no, where did you see him last?")
        assert len(t.said()) == 1, "the second is within the cooldown"
        await t.stage.servers.change(t.guild.id, join_chance=0)
        t.stage.main.talk._joined.clear()
        await t.ann.send(t.channel, "by the old station, I think")
        assert len(t.said()) == 1, "a rate of nothing is never"


async def test_in_quiet_hours_it_answers_without_notification_and_never_joins_in(theatre):
    async with theatre() as t:
        await t.stage.servers.change(t.guild.id, quiet_from=0, quiet_to=23, join_chance=100)
        await t.stage.servers.set_mode(t.guild.id, t.channel.id, "open")
        await t.ann.send(t.channel, "nobody can sleep in this house")
        assert t.said() == []
        await t.ann.send(t.channel, f"{t.me} are you awake?")
        assert t.said()[0].flags.suppress_notifications


def test_quiet_hours_go_over_midnight_in_the_servers_own_time():
    chosen = ServerSettings(quiet_from=22, quiet_to=7, timezone="America/Chicago")
    assert chosen.quiet(datetime(2026, 1, 10, 5, 0, tzinfo=UTC))  # 23:00 in Chicago
    assert not chosen.quiet(datetime(2026, 1, 10, 14, 0, tzinfo=UTC))  # 08:00 there


async def test_what_is_said_in_private_and_in_a_channel_has_a_scope_of_its_own(theatre):
    async with theatre() as t:
        other = t.guild.create_text_channel("other")
        await t.ann.send_dm("private")
        await t.ann.send(t.channel, f"{t.me} here")
        await t.ann.send(other, f"{t.me} there")
        scopes = [str(e.scope) for e in t.artist.met]
        assert scopes[0] == f"fan:discord:{t.ann.id}"
        assert scopes[1:] == [f"channel:discord:{t.guild.id}/{c.id}" for c in (t.channel, other)]
        assert len({e.conversation for e in t.artist.met}) == 3


async def test_typing_is_shown_before_the_answer_and_an_answer_comes_without_it_too(theatre):
    async with theatre() as t:
        await t.ann.send(t.channel, f"{t.me} hi")
        calls = [
            r.path.rsplit("/", 1)[1]
            for r in t.env.http_requests
            if r.method == "POST" and str(t.channel.id) in r.path
        ]
        assert calls == ["typing", "messages"]
        t.env.inject_error("POST", "/channels/*/typing", status=403, code=50013)
        await t.ann.send(t.channel, f"{t.me} hi again")
        assert len(t.said()) == 2


async def test_without_the_right_to_speak_the_fan_is_told_in_private_what_is_missing(theatre):
    async with theatre() as t:
        mute = t.guild.create_text_channel(
            "mute", overwrites={t.guild.default_role: discord.PermissionOverwrite(send_messages=None)}
        )
        t.env.inject_error("POST", f"/channels/{mute.id}/messages", status=403, code=50013, times=None)
        await t.ann.send(mute, f"{t.me} hello?")
        [told] = t.said(t.ann.user.dm_channel)
        assert mute.mention in told.content and "/setup check" in told.content


async def test_an_artist_who_fails_gets_the_fan_a_sentence_and_the_next_message_an_answer(theatre):
    def says(encounter: Encounter) -> str:
        if "break" in encounter.message.text:
            raise RuntimeError("the model fell over")
        return "fine"

    async with theatre(says=says) as t:
        await t.ann.send(t.channel, f"{t.me} break")
        await t.ann.send(t.channel, f"{t.me} and now?")
        first, second = t.said()
        assert "RuntimeError" not in first.content and "model" not in first.content and first.content
        assert second.content == "fine"


async def test_a_blocking_artist_does_not_block_the_gateway(theatre):
    begun, ticked = threading.Event(), threading.Event()

    class Slow(Scripted):
        async def answer(self, encounter: Encounter) -> AsyncIterator[str]:
            begun.set()
            # A model that holds on to its thread until the gateway's loop has gone round twenty times.
            yield "at last" if ticked.wait(6.0) else "the loop stood still"

    async with theatre(artist=Slow()) as t:

        async def tick() -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            ticked.set()

        ticking = asyncio.create_task(t.ann.send(t.channel, f"{t.me} think hard"))
        async with asyncio.timeout(20):
            while not begun.is_set():
                await asyncio.sleep(0.01)
        await tick()
        await ticking
        assert [m.content for m in t.said()] == ["at last"]


async def test_a_flooding_fan_is_told_once_then_ignored_and_others_are_still_answered(theatre):
    async with theatre(pace=Pace(fan=Rate(2, 60.0))) as t:
        for number in range(6):
            await t.ann.send(t.channel, f"{t.me} again {number}")
        said = [m.content for m in t.said()]
        assert said[:2] == ["You said: again 0", "You said: again 1"]
        assert len(said) == 3, "one warning, then silence"
        await t.bob.send(t.channel, f"{t.me} and me?")
        assert t.said()[-1].content == "You said: and me?"


async def test_a_message_that_comes_twice_is_answered_once(theatre):
    async with theatre() as t:
        message = await t.ann.send(t.channel, f"{t.me} once")
        [heard] = [each for each in t.stage.cached_messages if each.id == message.id]
        await t.stage.on_message(heard)
        await t.ann.send(
            t.channel, f"{t.me} and this"
        )  # were the first taken up again, this would be one turn with it
        assert [m.content for m in t.said()] == ["You said: once", "You said: and this"]
        assert len(t.artist.met) == 2
