"""Credentials and verify: what a clip says of itself, who signed it, and whether a byte was changed since."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from skills.brief import Brief
from skills.library import Library
from skills.provenance import ledger
from skills.provenance.carrying import note_order, seal, seal_more
from skills.provenance.credentials import read_credentials
from skills.provenance.operator import Operator, OperatorError, load_operator
from skills.provenance.page import Page
from skills.provenance.payload import Payload
from skills.provenance.verify import LARGEST, VerifyError, verify
from skills.provenance.watermark import RATE, mark

SONG, ARTIST, LABEL = "the-last-train-home-5e395caf72", "Breaking Rust (AI)", "AI-generated: by Troubadour."
KINDS = {"mp3": ["-b:a", "128k"], "m4a": [], "wav": [], "mp4": ["-c:a", "aac"], "ogg": ["-c:a", "libopus"]}


def sounding(path: Path, kind: str, options: list[str], marked: bool = True) -> Path:
    rng = np.random.default_rng(0)
    t = np.arange(6 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 110 * k * t) / k for k in range(1, 40)) * (1.2 + np.sin(2 * np.pi * 3 * t))
    sound = (0.05 * np.stack([tone, tone]) + 0.02 * rng.standard_normal((2, len(t)))).astype(np.float32)
    soundfile.write(path / "plain.wav", (mark(sound, Payload.of(SONG, ARTIST)) if marked else sound).T, RATE)
    made = path / f"clip.{kind}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(path / "plain.wav")]
    tags = ["-metadata", "title=Train", "-metadata", f"comment={LABEL}"]
    subprocess.run([*command, *options, *tags, str(made)], check=True)
    (path / "plain.wav").unlink()
    return made


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return load_operator(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, operator: Operator) -> Library:
    """With one sealed song, a clip of every kind."""
    library = Library(tmp_path_factory.mktemp("songs"))
    song = library.open(Brief("the last train home", dedication="Maya"), 7, SONG)
    folder = library.folder(SONG)
    note_order(folder, song.brief, 7, "discord:42")
    ledger.append(
        folder, "sang", facts={"model": {"name": "a voice", "version": "1", "licence": "Apache-2.0"}}
    )
    (folder / "score.json").write_text("{}")
    files = [sounding(folder, kind, options) for kind, options in KINDS.items()]
    seal(folder, files, "Train", ARTIST, LABEL, operator)
    return library


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_clip_says_what_it_is(library: Library, operator: Operator, kind: str) -> None:
    found = read_credentials(library.folder(SONG) / f"clip.{kind}", operator.anchors)
    assert (found.state, found.trusted, found.problems) == ("valid", True, ())
    assert found.statement["song"] == "5e395caf72"
    assert found.statement["models"]["vocals"]["name"] == "a voice"
    assert set(found.statement["ingredients"]) == {"score"}
    assert found.statement["ledger"] == ledger.read(library.folder(SONG))[1].hash
    assert not {"Maya", "discord:42"} & set(json.dumps(found.statement).replace('"', " ").split())


def test_a_clip_says_in_c2pas_words_that_a_machine_made_it(library: Library) -> None:
    import c2pa

    with (library.folder(SONG) / "clip.mp3").open("rb") as file:
        told = json.loads(c2pa.Reader("audio/mpeg", file).json())
    manifest = told["manifests"][told["active_manifest"]]
    actions = next(
        one["data"]["actions"] for one in manifest["assertions"] if one["label"].startswith("c2pa.actions")
    )
    assert actions[0]["action"] == "c2pa.created"
    assert actions[0]["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert actions[0]["softwareAgent"]["name"] == "Troubadour"
    assert [one["title"] for one in manifest["ingredients"]] == ["score"]


def test_who_asked_can_be_found_by_the_ledger_only_until_it_forgets(
    library: Library, operator: Operator
) -> None:
    folder = library.folder(SONG)
    told = read_credentials(folder / "clip.mp3", operator.anchors).statement["asked_by"]
    kept = json.loads((folder / "ledger.words.json").read_text())
    assert told == ledger.commit(**kept[told])
    assert kept[told]["text"] == "discord:42"


def test_the_tags_outlive_the_signing(library: Library) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(library.folder(SONG) / "clip.mp3")]
    assert LABEL in subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("name", [*(f"clip.{kind}" for kind in KINDS), "clip.ogg.c2pa"])
def test_a_changed_byte_is_noticed_wherever_it_is(
    library: Library, operator: Operator, tmp_path: Path, name: str
) -> None:
    clip = tmp_path / name.removesuffix(".c2pa")
    for path in library.folder(SONG).glob(f"{clip.name}*"):
        shutil.copy(path, tmp_path)
    before = (tmp_path / name).read_bytes()
    rng, store = random.Random(name), max(before.find(b"jumdc2pa") - 20, 0)
    places = [rng.randrange(len(before)) for _ in range(40)]
    places += [rng.randrange(store, min(store + 4500, len(before))) for _ in range(60)]  # in the credentials
    for place in places:
        changed = bytearray(before)
        changed[place] ^= 1 << rng.randrange(8)
        (tmp_path / name).write_bytes(changed)
        assert read_credentials(clip, operator.anchors).state == "changed", f"byte {place} of {len(before)}"


def test_verify_names_the_song_its_label_and_its_version(library: Library, operator: Operator) -> None:
    report = verify(library.folder(SONG) / "clip.mp3", operator.anchors, library)
    assert (report.verdict, report.code) == ("genuine", 0)
    assert report.marks[0].song == "5e395caf72"
    assert report.origin is not None
    assert (report.origin.id, report.origin.label, report.origin.as_sealed) == (SONG, LABEL, True)
    assert "It is as it left the studio." in report.sentences


def test_verify_tells_changed_stripped_and_foreign_files_apart(
    library: Library, operator: Operator, tmp_path: Path
) -> None:
    clip = library.folder(SONG) / "clip.wav"
    bent = tmp_path / "bent.wav"
    data = bytearray(clip.read_bytes())
    data[len(data) // 2] ^= 1
    bent.write_bytes(data)
    assert verify(bent, operator.anchors, library).verdict == "changed"
    again = tmp_path / "again.mp3"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(clip), str(again)], check=True)
    stripped = verify(again, operator.anchors, library)
    assert stripped.verdict == "marked"
    assert stripped.origin is not None
    assert not stripped.origin.as_sealed
    assert (
        verify(sounding(tmp_path, "ogg", KINDS["ogg"], marked=False), operator.anchors, library).verdict
        == "unknown"
    )
    assert verify(clip, "", library).verdict == "signed"


def test_what_is_no_sound_or_too_large_is_told_in_a_sentence(operator: Operator, tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no sound")
    assert "There is no sound" in " ".join(verify(text, operator.anchors).sentences)
    with (tmp_path / "large.wav").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(VerifyError, match="100 MB"):
        verify(tmp_path / "large.wav", operator.anchors)
    with pytest.raises(VerifyError, match="no file"):
        verify(tmp_path / "nothing.mp3", operator.anchors)


@pytest.fixture
def page(library: Library, operator: Operator) -> Iterator[Page]:
    with Page(library, operator.anchors) as page:
        serving = threading.Thread(target=page.serve)
        serving.start()
        yield page
        page.stop()
        serving.join()


def asked(page: Page, path: str = "", data: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(page.address + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_page_tells_of_a_dropped_file_and_keeps_nothing(page: Page, library: Library) -> None:
    assert "Drop a sound file" in asked(page)[1]
    clip = (library.folder(SONG) / "clip.mp3").read_bytes()
    status, told = asked(page, "verify", clip, **{"X-Name": "..%2F..%2Fmy%20song.mp3"})
    report = json.loads(told)
    assert (status, report["verdict"], report["file"]) == (200, "genuine", "my song.mp3")


def test_the_page_answers_on_its_own_address_only(page: Page) -> None:
    assert page.address.startswith("http://127.0.0.1:")
    assert asked(page, Host="evil.example")[0] == 403
    assert asked(page, "verify", b"x", Origin="http://evil.example")[0] == 403
    assert asked(page, "verify", b"", **{"Content-Length": str(LARGEST + 1)})[0] == 413
    assert asked(page, "elsewhere")[0] == 404


def test_the_key_is_its_owners_alone_and_is_made_once(tmp_path: Path) -> None:
    first, second = load_operator(tmp_path / "keys"), load_operator(tmp_path / "keys")
    assert first == second
    assert (tmp_path / "keys" / "certificate.key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(first)


def test_a_certificate_of_ones_own_needs_its_key(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    load_operator(mine)
    load_operator(other)
    given = load_operator(tmp_path, mine / "certificate.pem", mine / "certificate.key")
    assert not given.own
    with pytest.raises(OperatorError, match="needs its key"):
        load_operator(tmp_path, mine / "certificate.pem")
    with pytest.raises(OperatorError, match="is not the key of"):
        load_operator(tmp_path, mine / "certificate.pem", other / "certificate.key")


def test_what_is_made_of_a_song_later_is_sealed_alike(
    library: Library, operator: Operator, tmp_path: Path
) -> None:
    stem = tmp_path / "vocal.flac"
    soundfile.write(stem, np.random.default_rng(1).uniform(-0.1, 0.1, (RATE, 2)), RATE, format="FLAC")
    seal_more(library.folder(SONG), [stem])
    report = verify(stem, operator.anchors, library)
    assert (report.verdict, report.credentials.statement["artist"]) == ("genuine", ARTIST)
    assert report.origin is not None
    assert report.origin.as_sealed
