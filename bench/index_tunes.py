"""Writes skills/originality/tunes.npz: the old tunes that songs are compared with, and what their moves tell.

    python bench/index_tunes.py

The tunes are those of bench/train_melody.py (O'Neill, Ryan, Aird; out of copyright), all of them: what the melody
model learnt and what it did not. A minute or two on one core.
"""

from __future__ import annotations

from train_melody import read_tunes, split

from skills.originality.tunes import INDEX, save_tunes


def main() -> None:
    tunes = list(read_tunes())
    learnt, held = split(tunes)
    use = {id(tune): "learnt" for tune in learnt} | {id(tune): "held out" for tune in held}
    rows = [
        (
            f"{tune.title or 'untitled'} ({tune.source.split('/')[0]} {tune.number})",
            use.get(id(tune), "like a learnt one"),
            [note[0] for note in tune.notes],
            [max(1, min(255, round(48 * note[2]))) for note in tune.notes],
        )
        for tune in tunes
    ]
    save_tunes(rows)
    print(f"{INDEX}: {len(rows)} tunes, {INDEX.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
