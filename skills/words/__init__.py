"""Words: `write_lyrics(brief, seed, author, used)`; the author is an EmbeddedAuthor or an EndpointAuthor."""

from skills.words.embedded import EmbeddedAuthor
from skills.words.endpoint import EndpointAuthor
from skills.words.write import Author, write_lyrics

__all__ = ["Author", "EmbeddedAuthor", "EndpointAuthor", "write_lyrics"]
