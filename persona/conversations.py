"""Where conversations are kept: in this process, the latest state of each, and only so many of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.memory import InMemorySaver

from persona.tombstones import Tombstones

MOST = 2000  # conversations; the one that was quiet longest goes first


class Conversations(InMemorySaver):
    """A checkpointer that forgets what nobody goes back to: older states of a thread, threads long quiet."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most
        self._order: OrderedDict[str, None] = OrderedDict()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        kept = super().put(config, checkpoint, metadata, new_versions)
        thread, place = kept["configurable"]["thread_id"], kept["configurable"]["checkpoint_ns"]
        self._drop_older(thread, place, checkpoint)
        self._order[thread] = None
        self._order.move_to_end(thread)
        while len(self._order) > self._most:
            self.delete_thread(self._order.popitem(last=False)[0])
        return kept

    def _drop_older(self, thread: str, place: str, checkpoint: Checkpoint) -> None:
        states: dict[str, Any] = self.storage[thread][place]
        for old in [each for each in states if each != checkpoint["id"]]:
            del states[old]
            self.writes.pop((thread, place, old), None)
        current = checkpoint["channel_versions"]
        stale = [key for key in self.blobs if key[:2] == (thread, place) and current.get(key[2]) != key[3]]
        for key in stale:
            del self.blobs[key]


class Heard:
    """Who spoke in which conversation, so that it ends when one of them is forgotten."""

    def __init__(self, stones: Tombstones | None, most: int = MOST) -> None:
        self._stones, self._most = stones, most
        self._fans: OrderedDict[str, dict[str, int]] = OrderedDict()  # by fan: the last stone when they spoke

    def note(self, conversation: str, fan: str) -> None:
        if self._stones is None:
            return
        fans = self._fans.setdefault(conversation, {})
        fans.setdefault(fan, max((stone.number for stone in self._stones.after(0)), default=0))
        self._fans.move_to_end(conversation)
        while len(self._fans) > self._most:
            self._fans.popitem(last=False)

    def forgotten(self, conversation: str) -> bool:
        """Whether somebody was forgotten since they spoke here; asked once, since the talk then ends."""
        fans = self._fans.get(conversation, {})
        if self._stones is None or not fans:
            return False
        news = self._stones.after(min(fans.values()))
        gone = [
            fan
            for fan, seen in fans.items()
            if self._stones.lying([stone for stone in news if stone.number > seen], ("fan", "talk"), [fan])
        ]
        if gone:
            del self._fans[conversation]
        return bool(gone)
