"""What can become of an attempt to post, beside its success. All are PostErrors: each says what to do."""

from __future__ import annotations

from skills.post import PostError


class NotYet(PostError):
    """Nothing was posted: the place is busy, or cannot be reached. To be tried again after `wait` seconds."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


class Lost(PostError):
    """The answer was lost: nobody here knows whether the place took the post."""


class Perhaps(PostError):
    """It may have been posted before and the place cannot be asked: it is not posted again. A note for the operator."""
