"""Conversations in memory: the latest state of each, and only so many."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph

from persona.conversations import Conversations


def add(left: list[str], right: list[str]) -> list[str]:
    return left + right


class State(TypedDict):
    said: Annotated[list[str], add]


def graph(kept: Conversations) -> Any:
    builder = StateGraph(State)
    builder.add_node("hear", lambda state: {"said": ["mm-hm"]})
    builder.add_edge(START, "hear")
    return builder.compile(checkpointer=kept)


def test_a_conversation_goes_on_and_only_its_latest_state_is_kept() -> None:
    kept = Conversations()
    talk, config = graph(kept), {"configurable": {"thread_id": "a"}}
    for text in ("one", "two", "three"):
        said = talk.invoke({"said": [text]}, config)["said"]
    assert said == ["one", "mm-hm", "two", "mm-hm", "three", "mm-hm"]
    assert len(kept.storage["a"][""]) == 1
    channels = [key[2] for key in kept.blobs if key[0] == "a"]
    assert len(channels) == len(set(channels))


def test_the_conversation_quiet_longest_is_forgotten_first() -> None:
    kept = Conversations(most=2)
    talk = graph(kept)
    for thread in ("a", "b", "a", "c"):
        talk.invoke({"said": [thread]}, {"configurable": {"thread_id": thread}})
    said = {thread: talk.get_state({"configurable": {"thread_id": thread}}).values for thread in "abc"}
    assert said["b"] == {} and len(said["a"]["said"]) == 4 and len(said["c"]["said"]) == 2
