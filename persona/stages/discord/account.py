"""What Discord says of a token before anything is connected: whose it is, and which intents it was granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from persona.stages.discord.token import TokenRefused
from skills.post import PostError

API = "https://discord.com/api/v10"
MESSAGE_CONTENT = (1 << 18) | (1 << 19)  # an application's flags: granted, or switched on in the portal
PORTAL = "https://discord.com/developers/applications"
PLAIN_FINDINGS = 2  # that every account has
HTTP_UNAUTHORIZED, HTTP_OK = 401, 200


@dataclass(frozen=True)
class Account:
    """`public`: others than its owner may add it to their servers. `servers`: about how many it is in."""

    id: int
    name: str
    message_content: bool
    public: bool
    servers: int
    sessions_left: int
    gateway: str
    shards: int = 1  # as many as Discord advises


async def look_at(token: str, api: str = API) -> Account:
    """Raises TokenRefused, or aiohttp's and OSError where Discord cannot be reached."""
    headers = {"Authorization": f"Bot {token}"}
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        application = await _get(session, f"{api}/applications/@me")
        gateway = await _get(session, f"{api}/gateway/bot")
    return Account(
        id=int(application["id"]),
        name=str(application.get("name", "")),
        message_content=bool(int(application.get("flags", 0)) & MESSAGE_CONTENT),
        public=bool(application.get("bot_public", True)),
        servers=int(application.get("approximate_guild_count", 0)),
        sessions_left=int(gateway.get("session_start_limit", {}).get("remaining", 1)),
        gateway=str(gateway["url"]),
        shards=int(gateway.get("shards", 1)),
    )


async def examine(token: str, api: str = API) -> str:
    """What the doctor says of a token: whose it is, its intents, and where permissions lack.

    Raises TokenRefused or PostError.
    """
    from persona.stages.discord import permissions

    headers = {"Authorization": f"Bot {token}"}
    try:
        account = await look_at(token, api)
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=20)) as session:
            servers = await _get(session, f"{api}/users/@me/guilds?limit=200")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise PostError(f"Discord cannot be reached from here: {error or repr(error)}") from None
    content = "on" if account.message_content else f"off (open channels need it: {PORTAL}, Bot)"
    said = [f"{account.name}, in {len(servers)} servers; message content intent {content}"]
    said.append(f"{account.sessions_left} connections left today; {account.shards} shard(s) advised")
    if not account.sessions_left:
        raise PostError(
            f"{account.name} has no connections left today: Discord lets it in again within a day"
        )
    if not account.public:
        said.append("only its owner may add it to servers")
    for server in servers:
        lacks = permissions.missing(int(server["permissions"]))
        if lacks:
            said.append(f"{server['name']} lacks {', '.join(lacks)}")
    if len(said) > PLAIN_FINDINGS:
        said.append(f"this link mends permissions: {permissions.invite(account.id)}")
    return "; ".join(said)


async def _get(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        if response.status == HTTP_UNAUTHORIZED:
            raise TokenRefused(
                f"Discord refuses the token. Copy a fresh one from {PORTAL} (your application, Bot, Reset Token) "
                "into TROUBADOUR_DISCORD__TOKEN"
            )
        if response.status != HTTP_OK:
            raise OSError(f"Discord answered {response.status} to {url}")
        return await response.json()
