"""Any OpenAI-compatible endpoint, by langchain-openai over one pair of HTTP clients."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient
from pydantic import SecretStr

from persona.models.errors import BrokenCall
from persona.settings import ChatSettings

CONNECT = 10.0  # seconds to reach an endpoint; its `timeout` is for the wait between two pieces of an answer
NO_KEY = SecretStr("none")  # servers without keys take any; the client library wants one
ANY_MODEL = "default"  # servers with a single model take any name


class EndpointModel(ChatOpenAI):
    """ChatOpenAI that takes a tool call only whole.

    LangChain mends a streamed call that breaks off ('{"brief": "a song ab'): half a wish would be ordered.
    """

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        arguments: defaultdict[int, str] = defaultdict(str)
        async for chunk in super()._astream(*args, **kwargs):
            if isinstance(chunk.message, AIMessageChunk):
                for call in chunk.message.tool_call_chunks:
                    arguments[call["index"] or 0] += call["args"] or ""
            yield chunk
        for text in arguments.values():
            try:
                json.loads(text or "{}")
            except ValueError:
                raise BrokenCall("the model called a tool with arguments that are no JSON") from None


def endpoint_model(config: ChatSettings) -> EndpointModel:
    """A chat model at `config.base_url`, streaming. Nothing is sent before it is asked something."""
    return EndpointModel(**endpoint_arguments(config, config.base_url))


def endpoint_arguments(config: ChatSettings, base_url: str) -> dict[str, Any]:
    """What ChatOpenAI is built with. Retries wait as a server's Retry-After says, up to two minutes."""
    from httpx2 import Timeout  # what openai 3 speaks HTTP with

    timeout = Timeout(config.timeout, connect=min(CONNECT, config.timeout))
    return {
        "base_url": base_url,
        "api_key": config.api_key if config.api_key.get_secret_value() else NO_KEY,
        "model": config.name or ANY_MODEL,
        "timeout": timeout,
        "max_retries": config.retries,
        "streaming": True,
        "stream_usage": False,  # not every server knows the option
        "use_responses_api": False,
        # Every call of this process shares these two: connections are kept open and counted in one place.
        "http_client": DefaultHttpxClient(timeout=timeout),
        "http_async_client": DefaultAsyncHttpxClient(timeout=timeout),
    }
