"""Fit: how near scenes and lines lie to a brief, by meaning, by the words they share and by how they feel."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skills.brief import Brief
from skills.words.material import Scene, Unit, common, scenes
from skills.words.moods import feelings
from skills.words.wishes import Wishes, head, stems, wishes_of

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

FAR = 0.42  # a theme that shares no word with a scene and is no nearer than this is sung of as a thing
CLOSE = 0.45  # a nearer scene sings of the theme even if it does not say its word
WORD = 0.25  # what a word in common is worth, as a cosine
MORE_WORD = 0.10
FEELING = 0.12
SINGER_CAN_NAME = 0.10
DISLIKE = 1.0
UNASKED = 0.6  # for singing of a death that the brief does not speak of
SCENE_CHANCE = 0.06  # how far the seed may stray from the nearest scene
LINE_CHANCE = 0.25  # and within it, where every line fits, from the nearest line


@dataclass(frozen=True)
class Wish:
    """The brief as it is compared with the material.

    `theme` and each row of `avoid`: unit vectors, [384]. `asked` is what has to be sung; `apart` says that the nearest
    scene does not speak of its topic, which is then sung of in a couplet of its own.
    """

    theme: NDArray[np.float32]
    avoid: NDArray[np.float32]
    words: frozenset[str]
    unwanted: frozenset[str]
    moods: frozenset[str]
    asked: Wishes
    apart: bool = False


class Fit:
    """Compares by `embed`: [n] texts -> unit vectors [n, 384]. What was embedded once is kept."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def read(self, brief: Brief, rng: random.Random) -> tuple[Wish, list[Scene]]:
        """What the brief wishes for, and the scenes in the order in which they fit it."""
        about = brief.theme or (
            "a song for someone dear, thank you" if brief.dedication else "a song from the heart"
        )
        said = " ".join([about, *brief.mentions])
        self._learn([about])
        words, unwanted, moods = stems(said), stems(" ".join(brief.avoid)), feelings(brief.mood)
        avoid = self._embed(list(brief.avoid)) if brief.avoid else np.zeros((0, 384), np.float32)
        asked = wishes_of(brief)
        thing = asked.topic
        wish = Wish(self._vectors[about], avoid, words, unwanted, moods, asked)
        self._learn([_topic(scene) for scene in scenes()])
        near = {scene: float(wish.theme @ self._vectors[_topic(scene)]) for scene in scenes()}
        plain = _plain_words(f"{said} {brief.mood}")
        shared = {scene: len(scene.words & plain) for scene in scenes()}
        ranked = sorted(
            scenes(),
            key=lambda scene: (
                -(
                    near[scene]
                    + WORD * min(3, shared[scene]) ** 0.5
                    + MORE_WORD * min(2, len(scene.more_words & plain))
                    + FEELING * bool(scene.moods & moods)
                    - UNASKED * bool(scene.needs and not scene.needs & plain)
                    + SINGER_CAN_NAME * bool(asked.name and scene.can_name)
                    - self._dislike(scene, wish)
                    + rng.uniform(0, SCENE_CHANCE)
                )
            ),
        )
        # a line written for the scene is worth more than one that squeezes in a word of the theme
        apart = bool(thing) and not asked.things and near[ranked[0]] < CLOSE and not _covers(ranked[0], thing)
        # the scene that sings of anything is fond of it: not for a brief in anger
        if thing and not shared[ranked[0]] and near[ranked[0]] < FAR and "angry" not in moods:
            ranked.insert(0, common())
        return dataclasses.replace(wish, apart=apart), ranked

    def sort(
        self, units: Sequence[Unit], wish: Wish, said: Collection[str], rng: random.Random
    ) -> list[Unit]:
        """The units by how well they fit the wish, how little they repeat of what was `said` (stems), and chance."""
        self._learn([unit.plain for unit in units])

        def worth(unit: Unit) -> float:
            own = stems(unit.plain)
            return (
                float(wish.theme @ self._vectors[unit.plain])
                + 0.5 * WORD * min(2, len(own & wish.words))
                - 0.06 * len(own & set(said))
                - DISLIKE * bool(own & wish.unwanted)
                + rng.uniform(0, LINE_CHANCE)
            )

        return [
            unit for _, unit in sorted(((worth(unit), unit) for unit in units), key=lambda pair: -pair[0])
        ]

    def _dislike(self, scene: Scene, wish: Wish) -> float:
        topic = stems(" ".join([scene.theme, *scene.words, *scene.more_words]))
        near = max((float(v @ self._vectors[_topic(scene)]) for v in wish.avoid), default=0.0)
        return DISLIKE * bool(topic & wish.unwanted) + 0.5 * max(0.0, near - 0.3)

    def _learn(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embed(new), strict=True))


def _covers(scene: Scene, thing: str) -> bool:
    """Whether the scene speaks of the thing: its head is one of the scene's words or stands in its lines."""
    named = stems(head(thing))
    lines = (stems(unit.plain) for unit in scene.units)
    return named <= stems(" ".join([*scene.words, *scene.more_words])) or any(named <= line for line in lines)


def _plain_words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", re.sub(r"['’]s\b", "", text.lower())))


def _topic(scene: Scene) -> str:
    return f"{scene.theme}: {scene.about}"
