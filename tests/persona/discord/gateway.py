"""A small Discord on loopback: REST and gateway, for what simulated Discord does not do.

It keeps time in its own thread, so that a blocked client is seen as what it is: a late heartbeat. It drops repeated
nonces as Discord does, limits, fails, loses answers and connections on order, and writes every call down.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

APP, BOT, EPOCH = 100, 100, 1420070400000
MOST_BYTES = 10 * 1024 * 1024 + 100_000  # a request with a file of 10 MiB
Json = dict[str, Any]


@dataclass
class Call:
    """One REST call. `at`: seconds of the monotonic clock."""

    at: float
    method: str
    path: str
    body: Json
    files: dict[str, bytes]
    status: int = 200


@dataclass
class Fault:
    """What becomes of the next `times` calls that match: an answer of its own, or 'lose' after carrying them out."""

    method: str
    path: str
    times: int
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    lose: bool = False


@dataclass
class Session:
    """A gateway session, which outlives its connection. `sent`: (sequence, event), for a resume."""

    id: str
    seq: int = 0
    sent: list[tuple[int, Json]] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None
    shard: int = 0


class LoopbackDiscord:
    """`with LoopbackDiscord() as discord:` runs it; all methods may be called from any thread."""

    def __init__(self, heartbeat: float = 5.0, shards: int = 1) -> None:
        self.heartbeat, self.shards = heartbeat, shards
        self.epoch = time.monotonic() - (time.time() - EPOCH / 1000)  # of ids, in monotonic seconds
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.beats: dict[web.WebSocketResponse, list[float]] = {}  # by connection
        self.identified, self.resumed, self.refuse_handshakes = 0, 0, 0
        self.known_at = 0.0  # when a session had been told of all its servers; 0: not yet
        self.replay = 0  # events before the missed ones that a resume sends again
        self.messages: dict[int, list[Json]] = {}
        self.guilds: dict[int, Json] = {}
        self.memberships: list[Json] = []
        self.webhooks: dict[int, Json] = {}
        self._nonces: dict[tuple[int, str], Json] = {}
        self._sessions: dict[str, Session] = {}
        self._last_id = int(time.time() * 1000 - EPOCH) << 22
        self._ids = threading.Lock()

    # ---- running

    def __enter__(self) -> LoopbackDiscord:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback discord", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *anything: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.api = f"http://127.0.0.1:{self.port}/api/v10"
        self.gateway = f"ws://127.0.0.1:{self.port}/gateway/"

    def in_time(self, work: Callable[[], Any]) -> Any:
        """Does it in the server's own loop and waits for it."""

        async def done() -> Any:
            result = work()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(20)

    # ---- the world

    def id(self) -> int:
        with self._ids:
            self._last_id = max(self._last_id + 1, int(time.time() * 1000 - EPOCH) << 22)
            return self._last_id

    def add_guild(self, channels: int) -> tuple[int, list[int]]:
        guild, ids = self.id(), [self.id() for _ in range(channels)]
        permissions, since = str((1 << 50) - 1 - 8), "2026-01-01T00:00:00+00:00"
        everyone = {"id": str(guild), "name": "@everyone", "permissions": permissions, "position": 0, "color": 0,
                    "hoist": False, "managed": False, "mentionable": False, "flags": 0}  # fmt: skip
        self.guilds[guild] = {
            "id": str(guild), "name": "A server", "owner_id": "1", "roles": [everyone], "emojis": [], "features": [],
            "channels": [{"id": str(c), "type": 0, "name": "c", "position": 0, "permission_overwrites": []}
                         for c in ids],
            "members": [{"user": self.bot_user(), "roles": [], "joined_at": since, "flags": 0}],
            "member_count": 2, "voice_states": [], "presences": [], "threads": [], "stickers": [], "large": False,
            "stage_instances": [], "premium_tier": 0, "verification_level": 0, "nsfw_level": 0, "mfa_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "system_channel_flags": 0,
            "preferred_locale": "en-US", "afk_timeout": 300, "soundboard_sounds": [],
            "premium_progress_bar_enabled": False,
        }  # fmt: skip
        return guild, ids

    def bot_user(self) -> Json:
        return {
            "id": str(BOT),
            "username": "rust",
            "discriminator": "0",
            "avatar": None,
            "bot": True,
            "global_name": None,
        }

    def message(
        self,
        fan: int,
        channel: int,
        text: str,
        guild: int | None = None,
        bot: bool = False,
        send: bool = True,
        answers: Json | None = None,
    ) -> Json:
        """A fan says something; the event that tells of it."""
        author = {"id": str(fan), "username": f"fan{fan}", "discriminator": "0", "avatar": None, "global_name": None,
                  "bot": bot}  # fmt: skip
        made = self._message(self.id(), channel, text, author)
        if f"<@{BOT}>" in text:
            made["mentions"] = [self.bot_user()]
        if answers is not None:
            place = {"message_id": answers["id"], "channel_id": str(channel), "guild_id": str(guild)}
            made |= {"type": 19, "message_reference": {**place, "type": 0}, "referenced_message": answers}
        if guild is not None:
            made |= {
                "guild_id": str(guild),
                "member": {"roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0},
            }
        if send:
            self.dispatch("MESSAGE_CREATE", made)
        return made

    def _message(self, number: int, channel: int, text: str, author: Json) -> Json:
        return {
            "id": str(number), "channel_id": str(channel), "content": text, "author": author, "type": 0,
            "timestamp": "2026-11-22T00:00:00+00:00", "edited_timestamp": None, "tts": False, "mention_everyone": False,
            "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": False, "flags": 0,
            "components": [],
        }  # fmt: skip

    # ---- gateway

    def dispatch(self, event: str, data: Json) -> None:
        """Sends an event to every session; one without a connection gets it when it resumes."""
        self.in_time(lambda: self._dispatch(event, data))

    async def _dispatch(self, event: str, data: Json) -> None:
        told = str(data.get("guild_id") or (data["id"] if event.startswith("GUILD") else 0))
        guild = int(told) if told.isdigit() else 0
        for session in [
            each for each in self._sessions.values() if each.shard == (guild >> 22) % self.shards
        ]:
            await self._tell(session, event, data)

    async def _tell(self, session: Session, event: str, data: Json) -> None:
        session.seq += 1
        payload = {"op": 0, "t": event, "d": data, "s": session.seq}
        session.sent.append((session.seq, payload))
        if session.socket is not None and not session.socket.closed:
            await session.socket.send_str(json.dumps(payload))

    def drop(self, code: int | None = None) -> None:
        """Ends every connection: with a close code, or as a cable that is pulled."""

        async def work() -> None:
            for session in self._sessions.values():
                socket, session.socket = session.socket, None
                if socket is None:
                    continue
                if code is not None:
                    await socket.close(code=code)
                elif socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()

        self.in_time(work)

    def invalidate(self, resumable: bool = False) -> None:
        async def work() -> None:
            for session in list(self._sessions.values()):
                if session.socket is not None and not session.socket.closed:
                    await session.socket.send_str(json.dumps({"op": 9, "d": resumable, "s": None, "t": None}))
                if not resumable:
                    del self._sessions[session.id]

        self.in_time(work)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_handshakes > 0:
            self.refuse_handshakes -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = {"op": 10, "d": {"heartbeat_interval": int(self.heartbeat * 1000)}, "s": None, "t": None}
        await socket.send_str(json.dumps(hello))
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            payload = json.loads(frame.data)
            if payload["op"] == 1:
                self.beats.setdefault(socket, []).append(time.monotonic())
                await socket.send_str(json.dumps({"op": 11, "d": None, "s": None, "t": None}))
            elif payload["op"] == 2:
                await self._identify(socket, payload["d"])
            elif payload["op"] == 6:
                await self._resume(socket, payload["d"])
        return socket

    async def _identify(self, socket: web.WebSocketResponse, asked: Json) -> None:
        self.identified += 1
        shard, _ = asked.get("shard", (0, 1))
        session = Session(f"session-{self.identified}", socket=socket, shard=shard)
        self._sessions = {each.id: each for each in self._sessions.values() if each.shard != shard}
        self._sessions[session.id] = session
        guilds = {g: guild for g, guild in self.guilds.items() if (g >> 22) % self.shards == shard}
        ready = {"v": 10, "user": self.bot_user(), "session_id": session.id, "resume_gateway_url": self.gateway,
                 "guilds": [{"id": str(g), "unavailable": True} for g in guilds], "shard": [shard, self.shards],
                 "application": {"id": str(APP), "flags": 1 << 19}}  # fmt: skip
        await self._tell(session, "READY", ready)
        for guild in guilds.values():
            await self._tell(session, "GUILD_CREATE", guild)
        self.known_at = time.monotonic()

    async def _resume(self, socket: web.WebSocketResponse, asked: Json) -> None:
        session = self._sessions.get(asked["session_id"])
        if session is None:
            await socket.send_str(json.dumps({"op": 9, "d": False, "s": None, "t": None}))
            return
        self.resumed += 1
        session.socket = socket
        for seq, payload in list(session.sent):
            if seq > asked["seq"] - self.replay and payload["t"] == "MESSAGE_CREATE":
                await socket.send_str(json.dumps(payload))
        await self._tell(session, "RESUMED", {})

    # ---- REST

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        at, path = time.monotonic(), "/" + request.match_info["path"]
        body, files = await _read(request)
        call = Call(at, request.method, path, body, files)
        self.calls.append(call)
        fault = next(
            (f for f in self.faults if f.times and f.method == call.method and re.fullmatch(f.path, path)),
            None,
        )
        if fault is not None:
            fault.times -= 1
            if fault.lose:
                self._carry_out(call)
                assert request.transport is not None
                request.transport.abort()
                return web.Response(status=500)
            call.status = fault.status
            return _answer(fault.body, fault.status, fault.headers)
        answer, call.status = self._carry_out(call)
        if call.status == 204:
            return web.Response(status=204)
        return _answer(answer, call.status, {})

    def _carry_out(self, call: Call) -> tuple[Any, int]:
        for pattern, work in _ROUTES:
            found = re.fullmatch(pattern, f"{call.method} {call.path}")
            if found:
                return work(self, call, *[int(each) for each in found.groups()])
        return {"code": 0, "message": f"no such route: {call.method} {call.path}"}, 404

    def _say(self, call: Call, channel: int) -> tuple[Any, int]:
        if any(len(data) > 10 * 1024 * 1024 for data in call.files.values()):
            return {"code": 40005, "message": "Request entity too large"}, 413
        key = (channel, str(call.body.get("nonce")))
        if call.body.get("enforce_nonce") and key in self._nonces:
            return self._nonces[key], 200
        made = self._made(call, channel, self.bot_user())
        self._nonces[key] = made
        return made, 200

    def _made(self, call: Call, channel: int, author: Json) -> Json:
        made = self._message(self.id(), channel, call.body.get("content") or "", author)
        made["components"] = call.body.get("components", [])
        if "message_reference" in call.body:
            made["message_reference"] = call.body["message_reference"]
        made["attachments"] = [
            {
                "id": str(self.id()),
                "filename": name,
                "size": len(data),
                "url": "http://127.0.0.1/",
                "proxy_url": "",
            }
            for name, data in call.files.items()
        ]
        self.messages.setdefault(channel, []).append(made)
        return made

    # A webhook: its messages carry the name that each call gives.

    def _open_webhook(self, call: Call, channel: int) -> tuple[Any, int]:
        number = self.id()
        self.webhooks[number] = {
            "id": str(number), "type": 1, "channel_id": str(channel), "name": call.body["name"], "avatar": None,
            "token": f"token-{number}", "application_id": str(APP), "user": self.bot_user(),
        }  # fmt: skip
        return self.webhooks[number], 200

    def _webhooks_of(self, call: Call, channel: int) -> tuple[Any, int]:
        return [each for each in self.webhooks.values() if each["channel_id"] == str(channel)], 200

    def _say_by_webhook(self, call: Call, webhook: int) -> tuple[Any, int]:
        if webhook not in self.webhooks:
            return {"code": 10015, "message": "Unknown Webhook"}, 404
        author = {"id": str(webhook), "username": call.body["username"], "discriminator": "0000", "avatar": None,
                  "bot": True}  # fmt: skip
        made = self._made(call, int(self.webhooks[webhook]["channel_id"]), author)
        made |= {"webhook_id": str(webhook), "application_id": str(APP)}
        return made, 200

    def _edit_by_webhook(self, call: Call, webhook: int, message: int) -> tuple[Any, int]:
        return self._edit(call, int(self.webhooks[webhook]["channel_id"]), message, str(webhook))

    def _take_back(self, call: Call, place: int, message: int) -> tuple[Any, int]:
        channel = int(self.webhooks[place]["channel_id"]) if place in self.webhooks else place
        self.messages[channel] = [m for m in self.messages.get(channel, []) if m["id"] != str(message)]
        return {}, 204

    def _edit(self, call: Call, channel: int, message: int, author: str = str(BOT)) -> tuple[Any, int]:
        for each in self.messages.get(channel, []):
            if each["id"] == str(message) and each["author"]["id"] == author:
                each["content"] = call.body.get("content", each["content"])
                return each, 200
        return {"code": 10008, "message": "Unknown Message"}, 404

    def _history(self, call: Call, channel: int) -> tuple[Any, int]:
        return list(reversed(self.messages.get(channel, [])))[:100], 200

    def _commands(self, call: Call, app: int) -> tuple[Any, int]:
        own = {"application_id": str(app), "version": "1"}
        return [{**command, "id": str(self.id()), **own} for command in call.body.get("", [])], 200

    def _acknowledge(self, call: Call, interaction: int) -> tuple[Any, int]:
        return {
            "interaction": {"id": str(interaction), "type": 2},
            "resource": {"type": call.body.get("type", 5)},
        }, 200

    def _fill_in(self, call: Call, app: int) -> tuple[Any, int]:
        return self._message(self.id(), 1, call.body.get("content") or "", self.bot_user()), 200

    def slash(self, fan: int, channel: int, guild: int, name: str) -> Json:
        """A fan calls a command without options; the event that tells of it."""
        user = {
            "id": str(fan),
            "username": f"fan{fan}",
            "discriminator": "0",
            "avatar": None,
            "global_name": None,
        }
        member = {
            "user": user,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "flags": 0,
            "permissions": "0",
        }
        number = self.id()
        return {
            "id": str(number), "application_id": str(APP), "type": 2, "token": f"token-{number}", "version": 1,
            "guild_id": str(guild), "channel_id": str(channel), "channel": {"id": str(channel), "type": 0, "name": "c"},
            "member": member, "locale": "en-US", "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild)},
            "context": 0, "app_permissions": "0", "attachment_size_limit": 10485760,
            "data": {"id": "1", "name": name, "type": 1, "options": []},
        }  # fmt: skip

    def _dm(self, call: Call) -> tuple[Any, int]:
        fan = int(call.body["recipient_id"])
        user = {"id": str(fan), "username": f"fan{fan}", "discriminator": "0", "avatar": None}
        return {"id": str(fan + 1_000_000), "type": 1, "recipients": [user]}, 200

    def _application(self, call: Call) -> tuple[Any, int]:
        return {"id": str(APP), "name": "Rust", "flags": 1 << 19, "bot_public": True, "approximate_guild_count": 3,
                "description": "", "icon": None, "rpc_origins": [], "bot_require_code_grant": False,
                "owner": self.bot_user(), "team": None, "verify_key": ""}, 200  # fmt: skip

    def _where(self, call: Call) -> tuple[Any, int]:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        return {"url": self.gateway, "shards": self.shards, "session_start_limit": limit}, 200


def _answer(body: Any, status: int, headers: dict[str, str]) -> web.Response:
    """discord.py takes an answer for JSON only if the type says so without a character set, as Discord does."""
    headers = {**headers, "Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)


async def _read(request: web.Request) -> tuple[Json, dict[str, bytes]]:
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        body: Json = {}
        async for part in await request.multipart():
            if part.name == "payload_json":  # type: ignore[union-attr]
                body = json.loads(await part.text())  # type: ignore[union-attr]
            else:
                files[part.filename or ""] = bytes(await part.read())  # type: ignore[union-attr]
        return body, files
    text = await request.text()
    found = json.loads(text) if text else {}
    return (found if isinstance(found, dict) else {"": found}), files


_ROUTES: list[tuple[str, Callable[..., tuple[Any, int]]]] = [
    (r"GET /(?:oauth2/)?applications/@me", LoopbackDiscord._application),
    (r"GET /gateway/bot", LoopbackDiscord._where),
    (r"GET /users/@me", lambda d, call: (d.bot_user(), 200)),
    (r"POST /interactions/(\d+)/[\w-]+/callback", LoopbackDiscord._acknowledge),
    (r"PATCH /webhooks/(\d+)/[\w-]+/messages/@original", LoopbackDiscord._fill_in),
    (r"GET /users/@me/guilds", lambda d, call: (d.memberships, 200)),
    (r"PUT /applications/(\d+)/commands", LoopbackDiscord._commands),
    (r"POST /users/@me/channels", LoopbackDiscord._dm),
    (r"GET /users/(\d+)", lambda d, call, user: ({**d.bot_user(), "id": str(user), "bot": False}, 200)),
    (r"POST /channels/(\d+)/typing", lambda d, call, channel: ({}, 204)),
    (r"POST /channels/(\d+)/messages", LoopbackDiscord._say),
    (r"GET /channels/(\d+)/messages", LoopbackDiscord._history),
    (r"PATCH /channels/(\d+)/messages/(\d+)", LoopbackDiscord._edit),
    (r"DELETE /channels/(\d+)/messages/(\d+)", LoopbackDiscord._take_back),
    (r"GET /channels/(\d+)/webhooks", LoopbackDiscord._webhooks_of),
    (r"POST /channels/(\d+)/webhooks", LoopbackDiscord._open_webhook),
    (r"POST /webhooks/(\d+)/[\w-]+", LoopbackDiscord._say_by_webhook),
    (r"PATCH /webhooks/(\d+)/[\w-]+/messages/(\d+)", LoopbackDiscord._edit_by_webhook),
    (r"DELETE /webhooks/(\d+)/[\w-]+/messages/(\d+)", LoopbackDiscord._take_back),
]  # fmt: skip
