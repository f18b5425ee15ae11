"""Originality: what a song shares with old tunes, with other songs and with known phrases."""
