"""The studio's one error."""


class StudioError(RuntimeError):
    """Something in the studio could not be done; the message says what, and what to do about it."""
