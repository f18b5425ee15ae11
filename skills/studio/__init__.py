"""The studio: a score becomes an arrangement, stems, a mix and a clip."""

from skills.studio.arrange import Arrangement, arrange
from skills.studio.encode import Clip, encode
from skills.studio.errors import StudioError
from skills.studio.master import mastered
from skills.studio.mix import mix
from skills.studio.play import play

__all__ = ["Arrangement", "Clip", "StudioError", "arrange", "encode", "mastered", "mix", "play"]
