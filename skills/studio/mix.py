"""Mix: voice and band on one desk, in one room."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skills.backing import STEM
from skills.studio.desk import high_pass, insert, run, scene, strip
from skills.studio.errors import StudioError
from skills.studio.levels import PRESENCE, at_level, singing
from skills.studio.tone import Audio, band_power, decibels, desk, driven, equalised, led_to
from skills.style import Backing, Part, Sound, Style
from voice.harmony import Side
from voice.score import Score
from voice.take import STUDIO_RATE

VOICE_LEVEL = -20.0  # LUFS of the voice alone before mastering
BAND_LEVEL = -25.0  # LUFS of a player at level 0
DUCK_DB = 3.0
HANDS = 2  # strips treated at the same time
VOICE_MOVE = 9.0  # dB at most that an octave of the voice is moved
MIX_MOVE, MIX_SHARE = 5.0, 0.7  # dB at most, and how far, an octave of the mix


def mix(
    vocal: Audio,
    band: Mapping[str, Audio],
    score: Score,
    style: Style,
    lead: float = 0.0,
    backing: Mapping[Side, Audio] | None = None,
) -> Audio:
    """Mixes a dry voice ([samples], 48 kHz, `lead` seconds before tick 0) with the band's stems ([1 or 2, samples]) and
    the backing singers' ([samples], from tick 0). [2, samples] at 48 kHz, not yet mastered.

    Raises StudioError where there is nothing to hear or the numbers are broken.
    """
    voice, beside, players, parts = treated(vocal, band, style, lead, backing)
    mixed = _desk(voice, beside, players, parts, score, style.sound)
    mixed = equalised(mixed, desk().bands["mix"])
    return led_to(mixed, desk().targets["mix"], most=MIX_MOVE, share=MIX_SHARE)


def treated(
    vocal: Audio,
    band: Mapping[str, Audio],
    style: Style,
    lead: float,
    backing: Mapping[Side, Audio] | None = None,
) -> tuple[Audio, dict[str, Audio], dict[str, Audio], dict[str, Part]]:
    """What comes to the desk: the voice [samples], those beside it and the players [2, samples], and their parts.

    A stem is taken out of its mapping where it is treated, so that a mapping of files need not hold them all.
    """
    parts = {name: style.parts[name] if name in style.parts else _unknown(name) for name in band}
    before = max(0, round(lead * STUDIO_RATE))  # a lead longer than nothing moves all others later
    sides = list(backing or {})
    with ThreadPoolExecutor(HANDS) as hands:
        lead_voice = hands.submit(lambda: _treated_voice(_checked(vocal)))
        playing = hands.map(lambda name: _later(_player(_checked(band[name]), parts[name]), before), parts)
        singing_too = hands.map(
            lambda side: _later(_backing_voice(_checked((backing or {})[side]), style.backing[side]), before),
            sides,
        )
        voice, players = lead_voice.result(), dict(zip(parts, playing, strict=True))
        beside = {f"{STEM}{side}": stem for side, stem in zip(sides, singing_too, strict=True)}
    if not any(stem.any() for stem in (voice, *players.values(), *beside.values())):
        raise StudioError("there is nothing to hear: every stem is silent")
    length = max([len(voice), *(stem.shape[1] for stem in (*players.values(), *beside.values()))])
    for stems in (players, beside):
        stems |= {name: _until(stem, length) for name, stem in stems.items() if stem.shape[1] < length}
    voice = _until(voice[None], length)[0]
    _balance(voice, players, parts, style.sound)
    return voice, beside, players, parts


def _checked(stem: Audio) -> Audio:
    if not np.isfinite(stem).all():
        raise StudioError("a stem holds numbers that are not sound (inf or nan): make the song again")
    return np.asarray(stem, np.float32)


def _until(stem: Audio, length: int) -> Audio:
    return np.pad(stem, ((0, 0), (0, length - stem.shape[1])))


def _later(stem: Audio, samples: int) -> Audio:
    return np.pad(stem, ((0, 0), (samples, 0))) if samples else stem


def _unknown(name: str) -> Part:
    """A stem of a player that the style does not have (it was added by hand) is taken as it is."""
    return Part(instrument=name, role="chords")


def _treated_voice(voice: Audio) -> Audio:
    """Equalised, de-essed, compressed; at VOICE_LEVEL. [samples]"""
    if not voice.any():
        return voice
    cut = equalised(voice, desk().bands["vocal"])[None]
    even = led_to(cut, desk().targets["vocal"], most=VOICE_MOVE)
    shaped = at_level(even, VOICE_LEVEL).repeat(2, axis=0)
    chain = [
        insert("dynamics.deesser", frequencyHz=6500, thresholdDb=-32, ratio=3, rangeDb=6),
        insert("dynamics.compressor", thresholdDb=-26, ratio=2.5, attackMs=12, releaseMs=120, kneeDb=6),
        insert("dynamics.compressor", thresholdDb=-16, ratio=4, attackMs=3, releaseMs=60, kneeDb=4),
    ]
    done = run(scene([strip("vocal", inserts=chain)], []), [shaped])
    return np.ascontiguousarray(at_level(done[:1], VOICE_LEVEL)[0])


def _player(stem: Audio, part: Part) -> Audio:
    """A player's stem equalised, at its level and in its place. [2, samples]"""
    pure = driven(stem, desk().drive.get(part.instrument, 0.0))
    shaped = equalised(pure, desk().bands.get(part.instrument, ()))
    if shaped.any():
        shaped = at_level(shaped, BAND_LEVEL + part.level)
    return _placed(shaped, part.pan)


def _placed(audio: Audio, pan: float) -> Audio:
    """[1 or 2, samples] -> [2, samples], from -1 left to 1 right."""
    angle = (pan + 1) * np.pi / 4
    sides = np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32) * np.sqrt(2)
    return np.ascontiguousarray(audio * sides, dtype=np.float32)


def _backing_voice(stem: Audio, singer: Backing) -> Audio:
    """A backing singer's stem ([samples]) evened, under the lead and beside it. [2, samples]"""
    sounding = np.flatnonzero(stem)
    stem = stem[None]
    if not len(sounding):
        return stem.repeat(2, axis=0)
    here = slice(sounding[0], sounding[-1] + 1)  # it rests for most of the song
    even = led_to(equalised(stem[:, here], desk().bands["backing"]), desk().targets["vocal"], most=VOICE_MOVE)
    chain = [
        insert("dynamics.deesser", frequencyHz=6500, thresholdDb=-34, ratio=4, rangeDb=8),
        insert("dynamics.compressor", thresholdDb=-28, ratio=4, attackMs=8, releaseMs=120, kneeDb=6),
    ]
    done = run(scene([strip("backing", inserts=chain)], []), [at_level(even, VOICE_LEVEL).repeat(2, axis=0)])
    placed = np.zeros((2, stem.shape[1]), np.float32)
    placed[:, here] = _placed(at_level(done[:1], VOICE_LEVEL + singer.level), singer.pan)
    return placed


def _balance(voice: Audio, band: Mapping[str, Audio], parts: Mapping[str, Part], sound: Sound) -> None:
    """Brings the band to where the voice stands `vocal_over_band` dB above it in the range of words.

    Fills play in the singer's gaps and are left out of the measure.
    """
    under = [stem for name, stem in band.items() if parts[name].role != "fills"]
    sings = singing(voice)
    if not sings.any() or not under:
        return
    together = np.zeros((2, len(voice)), np.float32)
    for stem in under:
        together += stem
    over = decibels(float(band_power(voice[None], *PRESENCE)[sings].mean())) - decibels(
        float(band_power(together, *PRESENCE)[sings].mean())
    )
    # Ducking gives some of it while the voice sings.
    change = np.float32(10 ** ((over - sound.vocal_over_band + DUCK_DB * 0.6) / 20))
    for stem in band.values():
        np.multiply(stem, change, out=stem)


def _desk(
    voice: Audio,
    beside: Mapping[str, Audio],
    band: Mapping[str, Audio],
    parts: Mapping[str, Part],
    score: Score,
    sound: Sound,
) -> Audio:
    """Everything through libsonare's mixer: ducking, room, the voice's plate and delay, the bus."""
    room_of = desk().room
    beat = 60_000.0 / score.tempo[0].bpm
    strips = [
        strip(
            "vocal",
            sends={
                "room": sound.room_db + room_of["vocal"],
                "plate": sound.plate_db,
                "delay": sound.delay_db,
            },
        )
    ]
    inputs = [np.stack([voice, voice])]
    for name, stem in beside.items():  # further back in the room than the lead
        strips.append(strip(name, sends={"room": sound.room_db, "plate": sound.plate_db + 3}))
        inputs.append(stem)
    for name, stem in band.items():
        send = sound.room_db + room_of.get(parts[name].instrument, 0.0)
        strips.append(strip(name, inserts=ducking(parts[name]), sends={"room": send}))
        inputs.append(stem)
    length, width, height = sound.room, sound.room * 0.72, max(2.6, sound.room * 0.38)
    walls: dict[str, Any] = {"lengthM": length, "widthM": width, "heightM": height, "absorption": 0.3}
    band_at: dict[str, Any] = {"sourceX": 0.2 * length, "sourceY": 0.3 * width, "sourceZ": 1.2}
    ears_at: dict[str, Any] = {"listenerX": 0.65 * length, "listenerY": 0.6 * width, "listenerZ": 1.7}
    room = insert("effects.reverb.room", slot="post", dryWet=1, ismOrder=2, **walls, **band_at, **ears_at)
    returns = {
        "room": [room],
        "plate": [
            insert("eq.parametric", slot="post", **high_pass(260)),
            insert(
                "effects.reverb.plate",
                slot="post",
                dryWet=1,
                decaySec=sound.plate_seconds,
                preDelayMs=28,
                dampingHz=6500,
            ),
        ],
        "delay": [
            insert("eq.parametric", slot="post", **high_pass(400)),
            insert(
                "effects.delay.stereo",
                slot="post",
                dryWet=1,
                feedback=0.22,
                dampingHz=3500,
                delayTimeLMs=beat * sound.delay_beats,
                delayTimeRMs=beat * sound.delay_beats,
                pingPong=0.6,
            ),
        ],
    }
    bus = [
        insert("eq.parametric", **high_pass(30)),
        insert("dynamics.compressor", thresholdDb=-16, ratio=1.6, attackMs=30, releaseMs=180, kneeDb=8),
        insert("saturation.tape", driveDb=sound.tape, saturation=0.25, headBumpDb=0.3),
    ]
    return run(scene(strips, bus, returns), inputs)


def ducking(part: Part) -> list[dict[str, Any]]:
    """What makes room for the strip 'vocal' while it sings; drums and fills stay as they are."""
    if part.role in ("drums", "fills"):
        return []
    how = {"thresholdDb": -34, "ratio": 2, "attackMs": 15, "releaseMs": 260, "rangeDb": DUCK_DB}
    return [insert("dynamics.sidechainRouter", key="vocal", slot="post", **how)]
