"""The bench: takes measured by what can be heard in them. It needs the extra `troubadour[bench]`."""

from voice.bench.figures import TakeFigures, measure_take
from voice.bench.hearing import character_error_rate, quality, recognise

__all__ = ["TakeFigures", "character_error_rate", "measure_take", "quality", "recognise"]
