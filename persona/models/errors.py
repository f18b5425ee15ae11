"""Why a chat model cannot be built."""


class ModelError(RuntimeError):
    """The message says what to mend."""
