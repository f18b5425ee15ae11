"""The composer's one error."""


class TuneError(ValueError):
    """Words that cannot be set to music; the message says which and what to do."""
