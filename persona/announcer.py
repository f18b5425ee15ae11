"""Announcer: what the fan hears when a song is done, or could not be; and what the artist keeps in mind of it."""

from __future__ import annotations

from persona.hearing import turned
from persona.keepsakes import Keepsakes
from persona.repertoire import Repertoire
from persona.telling import spoken_theme
from skills.book import Request
from skills.library import Song


class Announcer:
    """The worker's way to the artist's words, and to its memory."""

    def __init__(self, repertoire: Repertoire, keepsakes: Keepsakes) -> None:
        self.repertoire, self.keepsakes = repertoire, keepsakes

    def announce(self, request: Request, song: Song) -> str:
        """Words for the finished song: the same words again after a crash."""
        who = turned(request.brief.dedication)
        slots = {"title": song.title} | ({"who": who} if who else {})
        return self.repertoire.choose("announce", "for" if who else "_", slots, (), request.id).filled(slots)

    def keep(self, request: Request, song: Song) -> None:
        """The artist will remember that it made the song."""
        who = turned(request.brief.dedication)
        kept = f'I made the song "{song.title}" about {request.brief.theme}' + (
            f", for {who}." if who else "."
        )
        self.keepsakes.leave(request.id, request.fan, kept)

    def apologise(self, request: Request) -> str:
        return self._sorry("apology", request)

    def apologise_late(self, request: Request) -> str:
        """For a song that took too long: the fan's next one comes first."""
        return self._sorry("late", request)

    def _sorry(self, topic: str, request: Request) -> str:
        theme = spoken_theme(request.brief.theme)
        slots = {"thing": theme} if theme else {}
        return self.repertoire.choose(topic, "_", slots, (), request.id).filled(slots)
