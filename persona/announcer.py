"""Announcer: what the fan hears when a song is done, or could not be; and what the artist keeps in mind of it."""

from __future__ import annotations

from collections.abc import Callable

from memory.fan import Fan, Scope
from memory.memory import Memory
from persona.hearing import turned
from persona.repertoire import Repertoire
from persona.telling import spoken_theme
from skills.book import Request
from skills.library import Song


class Announcer:
    """The worker's way to the artist's words. The memory is opened when it is first written to."""

    def __init__(self, repertoire: Repertoire, memory: Callable[[], Memory], artist: str) -> None:
        self.repertoire, self.memory, self.artist = repertoire, memory, artist

    def announce(self, request: Request, song: Song) -> str:
        """Words for the finished song: the same words again after a crash."""
        who = turned(request.brief.dedication)
        slots = {"title": song.title} | ({"who": who} if who else {})
        return self.repertoire.choose("announce", "for" if who else "_", slots, (), request.id).filled(slots)

    def keep(self, request: Request, song: Song) -> None:
        """The artist remembers that it made the song. Private to the fan, whatever the address: a server need not
        know whom a song was for."""
        who = turned(request.brief.dedication)
        kept = f'I made the song "{song.title}" about {request.brief.theme}' + (
            f", for {who}." if who else "."
        )
        fan = Fan(request.fan)
        self.memory().remember_song(fan, Scope("fan", fan.id), self.artist, song.id, kept)

    def apologise(self, request: Request) -> str:
        return self._sorry("apology", request)

    def apologise_late(self, request: Request) -> str:
        """For a song that took too long: the fan's next one comes first."""
        return self._sorry("late", request)

    def _sorry(self, topic: str, request: Request) -> str:
        theme = spoken_theme(request.brief.theme)
        slots = {"thing": theme} if theme else {}
        return self.repertoire.choose(topic, "_", slots, (), request.id).filled(slots)
