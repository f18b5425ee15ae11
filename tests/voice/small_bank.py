"""Voicebanks small enough to build in a test: OpenUtau's files, tensor names and shapes, and models whose output can
be measured.

The vocoder sounds a sine at F0 whose level is the first mel bin. The acoustic model sets that bin: loud for vowels,
20 dB softer for consonants, silent for SP; it adds the predicted energy, what breathiness differs from its
prediction, the speaker's first number, and takes 40 dB away where something that should have reached it has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

HIDDEN = 4
BINS = 4
RATE = 44_100
HOP = 512
VOWELS = ("aa", "iy", "ow", "ey", "ah")
CONSONANTS = ("hh", "t", "r", "n", "l", "m", "d")
SILENT, SOFT, WRONG = -5.0, -1.0, -2.0  # powers of ten
DETUNED = 0.5  # semitones that the bank's own pitch model sings above the note
CONSONANT_FRAMES, VOWEL_FRAMES = 6.0, 30.0
ENERGY, BREATHINESS = -6.0, -30.0  # dB, as the variance model predicts them
MAX_DEPTH = 0.6

I64, F32, BOOL = TensorProto.INT64, TensorProto.FLOAT, TensorProto.BOOL


class Graph:
    """Nodes one after another; every method gives the name of what it makes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []

    def take(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def const(self, value: Any, kind: type[np.generic] = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def do(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def cast(self, name: str, kind: int) -> str:
        return self.do("Cast", name, to=kind)

    def where(self, condition: str, yes: float, no: float = 0.0) -> str:
        return self.do("Where", condition, self.const(yes), self.const(no))

    def by_frame(self, values: str, durations: str) -> str:
        """values [1, n] held for durations [1, n] -> [frames]."""
        ends = self.do("CumSum", durations, self.const(1, np.int64))
        total = self.do("ReduceSum", durations, keepdims=0)
        frames = self.do("Range", self.const(0, np.int64), total, self.const(1, np.int64))
        passed = self.do("GreaterOrEqual", self.do("Unsqueeze", frames, self.const([1], np.int64)), ends)
        places = self.do("ReduceSum", self.cast(passed, I64), self.const([1], np.int64), keepdims=0)
        return self.do("Gather", self.do("Reshape", values, self.const([-1], np.int64)), places)

    def model(self, outputs: Mapping[str, tuple[str, int, Sequence[int | str]]]) -> ModelProto:
        for name, (made, _, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [made], [name]))
        infos = [
            helper.make_tensor_value_info(name, kind, shape) for name, (_, kind, shape) in outputs.items()
        ]
        graph = helper.make_graph(self.nodes, "small", self.inputs, infos, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def numbers(names: Sequence[str], shift: int) -> dict[str, int]:
    """Phonemes numbered so that no two stages agree."""
    return {name: (i + shift) % len(names) for i, name in enumerate(names)}


def by_number(tokens: Mapping[str, int], silent: float, vowel: float, consonant: float) -> list[float]:
    table = [0.0] * len(tokens)
    for name, number in tokens.items():
        last = name.split("/")[-1]
        table[number] = silent if last in ("SP", "AP") else vowel if last in VOWELS else consonant
    return table


def linguistic(by_words: bool, languages: bool) -> ModelProto:
    g = Graph()
    tokens = g.take("tokens", I64, [1, "n"])
    if by_words:
        div, dur = g.take("word_div", I64, [1, "w"]), g.take("word_dur", I64, [1, "w"])
        # Words that do not add up to the phones would be seen in the encoder's output.
        counted = g.do("Sub", g.do("ReduceSum", div, keepdims=0), g.do("Size", tokens))
        wrong = g.do(
            "Add", g.do("Abs", counted), g.do("Mul", g.do("ReduceMin", dur, keepdims=0), g.const(0, np.int64))
        )
    else:
        wrong = g.do(
            "Mul", g.do("ReduceMin", g.take("ph_dur", I64, [1, "n"]), keepdims=0), g.const(0, np.int64)
        )
    language = g.take("languages", I64, [1, "n"]) if languages else g.do("Mul", tokens, g.const(0, np.int64))
    columns = [tokens, language, g.do("Add", g.do("Mul", tokens, g.const(0, np.int64)), wrong), tokens]
    two = g.const([2], np.int64)
    parts = [g.do("Unsqueeze", g.cast(one, F32), two) for one in columns]
    encoded = g.do("Concat", *parts, axis=2)
    masks = g.do("Less", tokens, g.const(0, np.int64))
    return g.model({"encoder_out": (encoded, F32, [1, "n", HIDDEN]), "x_masks": (masks, BOOL, [1, "n"])})


def column(g: Graph, encoded: str, which: int) -> str:
    return g.do("Gather", encoded, g.const(which, np.int64), axis=2)


def durations(tokens: Mapping[str, int], speakers: bool) -> ModelProto:
    g = Graph()
    encoded = g.take("encoder_out", F32, [1, "n", HIDDEN])
    g.take("x_masks", BOOL, [1, "n"])
    midi = g.take("ph_midi", I64, [1, "n"])
    table = g.const(by_number(tokens, 10.0, VOWEL_FRAMES, CONSONANT_FRAMES))
    frames = g.do("Gather", table, g.cast(column(g, encoded, 0), I64))
    wrong = g.do("Greater", column(g, encoded, 2), g.const(0.0))
    frames = g.do("Mul", frames, g.where(wrong, 9.0, 1.0))
    frames = g.do("Add", frames, g.do("Mul", g.cast(midi, F32), g.const(0.0)))
    if speakers:
        for name in ("word_div", "word_dur"):
            g.take(name, I64, [1, "w"])
        g.take("spk_embed", F32, [1, "n", HIDDEN])
    return g.model({"ph_dur_pred": (frames, F32, [1, "n"])})


def pitch(new: bool, noise: float = 0.0) -> ModelProto:
    g = Graph()
    g.take("encoder_out", F32, [1, "n", HIDDEN])
    g.take("ph_dur", I64, [1, "n"])
    midi = g.take("note_midi", F32, [1, "m"])
    g.take("note_rest", BOOL, [1, "m"])
    dur = g.take("note_dur", I64, [1, "m"])
    frames = g.take("pitch", F32, [1, "t"])
    if new:
        g.take("note_glide", I64, [1, "m"])
        g.take("expr", F32, [1, "t"])
        g.take("spk_embed", F32, [1, "t", HIDDEN])
    g.take("retake", BOOL, [1, "t"])
    g.take("steps" if new else "speedup", I64, [] if new else [1])
    sung = g.do("Unsqueeze", g.by_frame(midi, dur), g.const([0], np.int64))
    sung = g.do("Add", sung, g.const(DETUNED))
    if noise:
        sung = g.do("Add", sung, g.do("RandomNormalLike", frames, scale=noise))
    return g.model({"pitch_pred": (sung, F32, [1, "t"])})


def variance(new: bool) -> ModelProto:
    g = Graph()
    g.take("encoder_out", F32, [1, "n", HIDDEN])
    g.take("ph_dur", I64, [1, "n"])
    g.take("pitch", F32, [1, "t"])
    energy, breathiness = g.take("energy", F32, [1, "t"]), g.take("breathiness", F32, [1, "t"])
    g.take("retake", BOOL, [1, "t", 2])
    g.take("steps" if new else "speedup", I64, [] if new else [1])
    if new:
        g.take("spk_embed", F32, [1, "t", HIDDEN])
    return g.model(
        {
            "energy_pred": (g.do("Add", energy, g.const(ENERGY)), F32, [1, "t"]),
            "breathiness_pred": (g.do("Add", breathiness, g.const(BREATHINESS)), F32, [1, "t"]),
        }
    )


def acoustic(tokens: Mapping[str, int], new: bool, base: str) -> ModelProto:
    g = Graph()
    phones = g.take("tokens", I64, [1, "n"])
    dur = g.take("durations", I64, [1, "n"])
    f0 = g.take("f0", F32, [1, "t"])
    table = g.const(by_number(tokens, SILENT, 0.0, SOFT))
    level = g.do("Unsqueeze", g.by_frame(g.do("Gather", table, phones), dur), g.const([0], np.int64))
    if new:
        energy = g.take("energy", F32, [1, "t"])
        breath = g.do("Sub", g.take("breathiness", F32, [1, "t"]), g.const(BREATHINESS))
        level = g.do("Add", level, g.do("Div", g.do("Add", energy, breath), g.const(20.0)))
        g.take("gender", F32, [1, "t"])
        velocity = g.take("velocity", F32, [1, "t"])
        level = g.do("Add", level, g.where(g.do("Equal", velocity, g.const(1.0)), 0.0, WRONG))
        speaker = g.take("spk_embed", F32, [1, "t", HIDDEN])
        level = g.do("Add", level, column(g, speaker, 0))
        language = g.do("Equal", g.take("languages", I64, [1, "n"]), g.const(1, np.int64))
        spoken = g.do("Unsqueeze", g.by_frame(g.where(language, 0.0, WRONG), dur), g.const([0], np.int64))
        level = g.do("Add", level, spoken)
        depth, steps = g.take("depth", F32, []), g.take("steps", I64, [])
        few = g.do("Less", steps, g.const(1, np.int64))
        bad = g.do("Or", few, g.do("Greater", depth, g.const(MAX_DEPTH + 1e-6)))
    else:
        depth, speedup = g.take("depth", I64, [1]), g.take("speedup", I64, [1])
        uneven = g.do("Not", g.do("Equal", g.do("Mod", depth, speedup), g.const(0, np.int64)))
        bad = g.do("Or", uneven, g.do("Greater", depth, g.const(round(MAX_DEPTH * 1000), np.int64)))
    level = g.do("Add", level, g.where(bad, WRONG))
    if base == "e":
        level = g.do("Mul", level, g.const(np.log(10.0)))
    others = g.do("Mul", f0, g.const(0.0))
    two = g.const([2], np.int64)
    mel = g.do("Concat", *(g.do("Unsqueeze", one, two) for one in [level] + [others] * (BINS - 1)), axis=2)
    return g.model({"mel": (mel, F32, [1, "t", BINS])})


def vocoder(base: str) -> ModelProto:
    g = Graph()
    mel, f0 = g.take("mel", F32, [1, "t", BINS]), g.take("f0", F32, [1, "t"])
    level = column(g, mel, 0)
    level = level if base == "e" else g.do("Mul", level, g.const(np.log(10.0)))
    shape = g.const([1, 1, HOP], np.int64)

    def every_sample(curve: str) -> str:
        held = g.do("Expand", g.do("Unsqueeze", curve, g.const([2], np.int64)), shape)
        return g.do("Reshape", held, g.const([1, -1], np.int64))

    cycles = g.do("CumSum", every_sample(g.cast(f0, TensorProto.DOUBLE)), g.const(1, np.int64))
    phase = g.do("Mul", cycles, g.const(2 * np.pi / RATE, np.float64))
    tone = g.cast(g.do("Sin", phase), F32)
    wave = g.do("Mul", tone, every_sample(g.do("Exp", level)))
    return g.model({"waveform": (g.do("Mul", wave, g.const(0.5)), F32, [1, "s"])})


def put(path: Path, what: ModelProto | Mapping[str, Any] | str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, ModelProto):
        save(what, path)
    elif isinstance(what, bytes):
        path.write_bytes(what)
    elif isinstance(what, str):
        path.write_text(what, "utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(what), "utf-8")
    else:
        path.write_text(yaml.safe_dump(dict(what), allow_unicode=True), "utf-8")


CARD = {
    "name": "Small", "languages": ["en"], "low": 48, "high": 72, "licence": "CC0-1.0",
    "origin": "sines, built in a test", "consent": "Synthetic: nobody's voice, a sine.",
}  # fmt: skip
SYMBOLS = [{"symbol": s, "type": "vowel"} for s in VOWELS] + [
    {"symbol": s, "type": "stop"} for s in CONSONANTS
]


def new_bank(root: Path, *, bases: tuple[str, str] = ("10", "e"), noise: float = 0.0) -> Path:
    """The newer generation: phonemes in JSON with languages, two speakers, depth and steps, words all the way."""
    names = ["SP", "AP", *(f"en/{one}" for one in (*VOWELS, *CONSONANTS)), "zh/a"]
    shared = ["hh" if name == "en/hh" else name for name in names]  # here the languages share one hh
    stages = {
        "": numbers(shared, 3),
        "dsdur": numbers(names, 5),
        "dspitch": numbers(shared, 7),
        "dsvariance": numbers(names, 1),
    }
    mel = {"sample_rate": RATE, "hop_size": HOP, "num_mel_bins": BINS}

    def config(folder: str, **more: Any) -> dict[str, Any]:
        return {
            **mel, "phonemes": "phonemes.json", "languages": "languages.json", "use_lang_id": True,
            "hidden_size": HIDDEN, "use_continuous_acceleration": True,
            "speakers": [f"small{folder}.alto", f"small{folder}.bass"],  # exporters put the model's name in front
            **({"linguistic": "linguistic.onnx"} if folder else {}), **more,
        }  # fmt: skip

    for folder, tokens in stages.items():
        put(root / folder / "phonemes.json", tokens)
        put(root / folder / "languages.json", {"zh": 2, "en": 1})
        put(root / folder / f"small{folder}.alto.emb", np.array([0, 1, 2, 3], "<f4").tobytes())
        put(root / folder / f"small{folder}.bass.emb", np.array([-0.5, 1, 2, 3], "<f4").tobytes())
        if folder:
            put(root / folder / "linguistic.onnx", linguistic(by_words=True, languages=True))
    put(root / "dsconfig.yaml", config(
        "", acoustic="acoustic.onnx", vocoder="small_vocoder", mel_base=bases[0],
        use_variable_depth=True, max_depth=MAX_DEPTH, use_energy_embed=True,
    ))  # fmt: skip
    put(root / "acoustic.onnx", acoustic(stages[""], True, bases[0]))
    put(root / "dsdur/dsconfig.yaml", config("dsdur", dur="dur.onnx"))
    put(root / "dsdur/dur.onnx", durations(stages["dsdur"], True))
    put(root / "dsdur/dsdict-en.yaml", {
        "symbols": [{"symbol": f"en/{one['symbol']}", "type": one["type"]} for one in SYMBOLS],
        "entries": [{"grapheme": "day", "phonemes": ["en/d", "en/iy"]}],
    })  # fmt: skip
    put(root / "dsdur/dsdict-zh.yaml", {
        "symbols": [{"symbol": "zh/a", "type": "vowel"}], "entries": [{"grapheme": "啊", "phonemes": ["zh/a"]}],
    })  # fmt: skip
    # The pitch model counts frames of half the length.
    put(root / "dspitch/dsconfig.yaml", config("dspitch", hop_size=HOP // 2, pitch="pitch.onnx"))
    put(root / "dspitch/pitch.onnx", pitch(True, noise))
    put(root / "dsvariance/dsconfig.yaml", config("dsvariance", variance="variance.onnx"))
    put(root / "dsvariance/variance.onnx", variance(True))
    put(
        root / "dsvocoder/vocoder.yaml",
        {**mel, "name": "small", "model": "vocoder.onnx", "mel_base": bases[1]},
    )
    put(root / "dsvocoder/vocoder.onnx", vocoder(bases[1]))
    put(root / "troubadour.yaml", CARD)
    return root


def old_bank(root: Path, vocoders: Path, *, bases: tuple[str, str] = ("10", "10")) -> Path:
    """The older generation: phonemes.txt, one speaker, integer depth and speedup, ph_dur, a vocoder by name."""
    names = ["AP", "SP", *VOWELS, *CONSONANTS]
    stages = {"": names, "dsdur": names[::-1], "dspitch": names[3:] + names[:3]}
    mel = {"sample_rate": RATE, "hop_size": HOP, "num_mel_bins": BINS}
    for folder, listed in stages.items():
        put(root / folder / "phonemes.txt", "\n".join(listed) + "\n")
    root_numbers = {name: i for i, name in enumerate(names)}
    put(root / "dsconfig.yaml", {
        **mel, "phonemes": "phonemes.txt", "acoustic": "acoustic.onnx", "vocoder": "small_vocoder",
        "mel_base": bases[0], "use_shallow_diffusion": True, "max_depth": round(MAX_DEPTH * 1000),
    })  # fmt: skip
    put(root / "acoustic.onnx", acoustic(root_numbers, False, bases[0]))
    put(root / "dsdur/dsconfig.yaml", {**mel, "linguistic": "linguistic.onnx", "dur": "dur.onnx"})
    put(root / "dsdur/linguistic.onnx", linguistic(by_words=True, languages=False))
    put(root / "dsdur/dur.onnx", durations({name: i for i, name in enumerate(names[::-1])}, False))
    put(root / "dsdur/dsdict.yaml", {
        "symbols": SYMBOLS, "entries": [{"grapheme": "day", "phonemes": ["d", "iy"]}],
        "replacements": [{"from": "ae", "to": "aa"}],
    })  # fmt: skip
    put(
        root / "dspitch/dsconfig.yaml",
        {**mel, "linguistic": "linguistic.onnx", "pitch": "pitch.onnx", "predict_dur": False},
    )
    put(root / "dspitch/linguistic.onnx", linguistic(by_words=False, languages=False))
    put(root / "dspitch/pitch.onnx", pitch(False))
    put(vocoders / "small_vocoder/vocoder.yaml", {**mel, "model": "vocoder.onnx", "mel_base": bases[1]})
    put(vocoders / "small_vocoder/vocoder.onnx", vocoder(bases[1]))
    put(root / "troubadour.yaml", CARD)
    return root
