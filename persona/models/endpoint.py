"""Any OpenAI-compatible endpoint, by langchain-openai over one pair of HTTP clients."""

from __future__ import annotations

from typing import Any

from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient
from pydantic import SecretStr

from persona.settings import ChatSettings

CONNECT = 10.0  # seconds to reach an endpoint; its `timeout` is for the wait between two pieces of an answer
NO_KEY = SecretStr("none")  # servers without keys take any; the client library wants one
ANY_MODEL = "default"  # servers with a single model take any name


def endpoint_model(config: ChatSettings) -> ChatOpenAI:
    """A chat model at `config.base_url`, streaming. Nothing is sent before it is asked something."""
    return ChatOpenAI(**endpoint_arguments(config, config.base_url))


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
