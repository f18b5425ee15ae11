"""Scores from and to files: `read_score`, `write_score`, by the ending of the file's name."""

from voice.formats.files import read_score, write_score

__all__ = ["read_score", "write_score"]
