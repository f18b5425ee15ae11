"""Where conversations are kept: in this process, the latest state of each, and only so many of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.memory import InMemorySaver

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
