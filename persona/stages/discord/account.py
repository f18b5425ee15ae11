"""What Discord says of a token before anything is connected: whose it is, and which intents it was granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from persona.stages.discord.token import TokenRefused

API = "https://discord.com/api/v10"
MESSAGE_CONTENT = (1 << 18) | (1 << 19)  # an application's flags: granted, or switched on in the portal
PORTAL = "https://discord.com/developers/applications"
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
    )


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as response:
        if response.status == HTTP_UNAUTHORIZED:
            raise TokenRefused(
                f"Discord refuses the token. Copy a fresh one from {PORTAL} (your application, Bot, Reset Token) "
                "into TROUBADOUR_DISCORD__TOKEN"
            )
        if response.status != HTTP_OK:
            raise OSError(f"Discord answered {response.status} to {url}")
        found: dict[str, Any] = await response.json()
        return found
