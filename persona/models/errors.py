"""Why a chat model cannot be built, or its answer not be used."""


class ModelError(RuntimeError):
    """The message says what to mend."""


class BrokenCall(ValueError):
    """A tool call that cannot be read."""
