"""Every place against its network on loopback, by the real client libraries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skills.address import Address
from skills.places.bluesky import BlueskyOutlet, record_key
from skills.places.errors import NotYet, Perhaps
from skills.places.mastodon import MastodonOutlet
from skills.places.notify import AppriseOutlet
from skills.places.social import Outlet, SocialPlace
from skills.post import Post, PostError
from tests.skills.places.conftest import a_journal
from tests.skills.places.loopback import Answer, Fault, Loopback
from tests.skills.places.networks import TOKEN, Bluesky, Mastodon, Telegram, busy

TEXT = "One more for the late shift.\n\nhttps://example.org/songs #blues"
LABEL = "AI-made: words, music and voice."


@pytest.fixture
def mastodon() -> Iterator[Mastodon]:
    network = Mastodon()
    with network.up():
        yield network


@pytest.fixture
def bluesky() -> Iterator[Bluesky]:
    network = Bluesky()
    with network.up():
        yield network


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telegram]:
    from apprise.plugins.telegram import NotifyTelegram

    network = Telegram()
    with network.up():
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{network.url}/bot")
        monkeypatch.setattr(NotifyTelegram, "request_rate_per_sec", 0)
        yield network


def place(folder: Path, stage: str, outlet: Outlet) -> SocialPlace:
    """As a process has it that begins anew: only the journal on disk is older."""
    return SocialPlace(stage, {"rust": lambda: outlet}, a_journal(folder))


def on_mastodon(folder: Path, network: Loopback, **chosen: Any) -> SocialPlace:
    outlet = MastodonOutlet(
        network.url, chosen.pop("token", TOKEN), timeout=5, pause=lambda s: None, **chosen
    )
    return place(folder, "mastodon", outlet)


def on_bluesky(
    folder: Path, network: Loopback, password: str = Bluesky.PASSWORD, **chosen: Any
) -> SocialPlace:
    outlet = BlueskyOutlet(
        "rust.test", password, network.url, network.url, timeout=5, pause=lambda s: None, **chosen
    )
    return place(folder, "bluesky", outlet)


def on_telegram(folder: Path, token: str = "123456:" + "planted-secret".ljust(35, "a")) -> SocialPlace:
    return place(folder, "apprise", AppriseOutlet("band", f"tgram://{token}/42/"))


def a_post(stage: str, clip: Path | None, nonce: str = "verse@20261122T0830Z") -> Post:
    return Post(f"{nonce}:{stage}", Address(stage, "rust"), TEXT, clip)


# ---- Mastodon


def test_mastodon_gets_the_clip_with_cover_words_and_label_from_an_account_marked_as_a_bot(
    tmp_path: Path, mastodon: Mastodon, clip: Path
) -> None:
    on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    [status] = mastodon.statuses
    assert status["text"] == f"{TEXT}\n\n{LABEL}"
    [file] = status["media"]
    assert mastodon.files[file]["file"][1:] == ("audio/mpeg", b"ID3 sound")
    assert mastodon.files[file]["thumbnail"][1:] == ("image/png", b"\x89PNG picture")
    assert "sung by an AI voice" in mastodon.files[file]["description"]
    assert "the last train is gone" in mastodon.files[file]["description"], "who cannot hear it can read it"
    assert mastodon.bot
    assert mastodon.count("GET /api/v1/media/") == 2, "it waited until the file was processed"


def test_mastodon_keeps_to_the_length_of_this_very_server(tmp_path: Path, mastodon: Mastodon) -> None:
    long = "A line that goes on for a while. " * 10 + f"\n\nhttps://example.org/{'x' * 100}"
    on_mastodon(tmp_path, mastodon).post(Post("long", Address("mastodon", "rust"), long))
    [status] = mastodon.statuses
    assert f"https://example.org/{'x' * 100}" in status["text"]
    counted = status["text"].replace(f"https://example.org/{'x' * 100}", "x" * 23)
    assert 150 < len(counted) <= 200
    assert "a while.\n\nhttps" in status["text"], "it was cut at a sentence"


def test_mastodon_a_lost_answer_is_one_status(tmp_path: Path, mastodon: Mastodon, clip: Path) -> None:
    mastodon.faults.append(Fault("POST /api/v1/statuses", after=True))
    with pytest.raises(NotYet):
        on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert len(mastodon.statuses) == 1
    mastodon.keys.clear()  # hours later: the server has forgotten the key
    on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert len(mastodon.statuses) == 1
    assert mastodon.count("POST /api/v2/media") == 1


def test_mastodon_what_never_arrived_is_sent_again_without_a_second_upload(
    tmp_path: Path, mastodon: Mastodon, clip: Path
) -> None:
    mastodon.faults.append(Fault("POST /api/v1/statuses", Answer(503, {"error": "no"})))
    with pytest.raises(NotYet):
        on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert mastodon.statuses == []
    on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert len(mastodon.statuses) == 1
    assert mastodon.count("POST /api/v2/media") == 1


def test_mastodon_an_upload_that_was_swept_away_is_made_anew(
    tmp_path: Path, mastodon: Mastodon, clip: Path
) -> None:
    mastodon.faults.append(Fault("POST /api/v1/statuses", Answer(503, {"error": "no"})))
    with pytest.raises(NotYet):
        on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    mastodon.files.clear()
    with pytest.raises(PostError):
        on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert len(mastodon.statuses) == 1


@pytest.mark.parametrize("where", ["POST /api/v2/media", "POST /api/v1/statuses"])
def test_mastodon_says_how_long_it_is_busy(
    tmp_path: Path, mastodon: Mastodon, clip: Path, where: str
) -> None:
    mastodon.faults.append(Fault(where, busy(90)))
    with pytest.raises(NotYet, match="is busy") as told:
        on_mastodon(tmp_path, mastodon).post(a_post("mastodon", clip))
    assert 80 < told.value.wait <= 91
    assert mastodon.statuses == []


def test_mastodon_a_token_that_is_no_more_is_a_sentence_and_is_not_told(
    tmp_path: Path, mastodon: Mastodon
) -> None:
    with pytest.raises(PostError, match="refuses the token") as told:
        on_mastodon(tmp_path, mastodon, token="an-old-token").post(a_post("mastodon", None))
    assert not isinstance(told.value, NotYet)
    assert "an-old-token" not in str(told.value)


def test_mastodon_a_file_that_takes_too_long_is_waited_for_another_time(tmp_path: Path, clip: Path) -> None:
    slow = Mastodon(looks=1000)
    with slow.up():
        with pytest.raises(NotYet, match="still processing"):
            on_mastodon(tmp_path, slow, patience=5).post(a_post("mastodon", clip))
        slow.files["1"]["looks"] = 1
        on_mastodon(tmp_path, slow).post(a_post("mastodon", clip))
    assert len(slow.statuses) == 1
    assert slow.count("POST /api/v2/media") == 1


# ---- Bluesky


def test_bluesky_gets_the_film_with_words_links_tags_and_the_label_of_a_bot(
    tmp_path: Path, bluesky: Bluesky, clip: Path
) -> None:
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    [post] = bluesky.posts
    assert post["text"] == f"{TEXT}\n\n{LABEL}"
    assert post["embed"]["$type"] == "app.bsky.embed.video"
    assert post["embed"]["video"]["mimeType"] == "video/mp4"
    assert "the last train is gone" in post["embed"]["alt"]
    parts = {
        facet["features"][0]["$type"].rpartition("#")[2]: post["text"].encode()[
            facet["index"]["byteStart"] : facet["index"]["byteEnd"]
        ]
        for facet in post["facets"]
    }
    assert parts == {"link": b"https://example.org/songs", "tag": b"#blues"}
    assert bluesky.jobs["job1"]["film"].endswith(b"film")
    assert [label["val"] for label in bluesky.profile["labels"]["values"]] == ["bot"]


def test_bluesky_what_stood_in_the_profile_stays(tmp_path: Path, bluesky: Bluesky) -> None:
    bluesky.records["app.bsky.actor.profile/self"] = {
        "$type": "app.bsky.actor.profile", "displayName": "Rust", "description": "low and slow",
    }  # fmt: skip
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", None))
    assert bluesky.profile["displayName"] == "Rust"
    assert bluesky.profile["description"] == "low and slow"
    assert [label["val"] for label in bluesky.profile["labels"]["values"]] == ["bot"]


def test_bluesky_a_lost_answer_is_one_post(tmp_path: Path, bluesky: Bluesky, clip: Path) -> None:
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", None, "before"))
    bluesky.faults.append(Fault("POST .*putRecord", after=True))
    with pytest.raises(NotYet):
        on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    assert len(bluesky.posts) == 2
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    assert len(bluesky.posts) == 2
    assert len(bluesky.jobs) == 1


def test_bluesky_another_machine_without_our_journal_makes_the_same_record(
    tmp_path: Path, bluesky: Bluesky, clip: Path
) -> None:
    on_bluesky(tmp_path / "here", bluesky).post(a_post("bluesky", clip))
    on_bluesky(tmp_path / "there", bluesky).post(a_post("bluesky", clip))
    assert len(bluesky.posts) == 1
    assert len(bluesky.jobs) == 1, "and the film that the service has is not processed again"


def test_bluesky_a_token_that_expires_in_the_middle_is_renewed(
    tmp_path: Path, bluesky: Bluesky, clip: Path
) -> None:
    on = on_bluesky(tmp_path, bluesky)
    on.post(a_post("bluesky", None, "before"))
    bluesky.logins += 1  # our token is an old one now
    on.post(a_post("bluesky", clip))
    assert len(bluesky.posts) == 2


def test_bluesky_a_wrong_password_is_a_sentence_and_is_not_told(tmp_path: Path, bluesky: Bluesky) -> None:
    with pytest.raises(PostError, match="refuses the app password") as told:
        on_bluesky(tmp_path, bluesky, "wrong-word").post(a_post("bluesky", None))
    assert "wrong-word" not in str(told.value)


@pytest.mark.parametrize("where", ["uploadVideo", "getJobStatus", "putRecord"])
def test_bluesky_says_how_long_it_is_busy(tmp_path: Path, bluesky: Bluesky, clip: Path, where: str) -> None:
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", None, "before"))
    bluesky.faults.append(Fault(where, busy(90)))
    with pytest.raises(NotYet) as told:
        on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    assert 80 < told.value.wait <= 91
    on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    assert len(bluesky.posts) == 2
    assert len(bluesky.jobs) == 1


def test_bluesky_a_song_without_a_film_says_so(tmp_path: Path, bluesky: Bluesky, clip: Path) -> None:
    clip.with_name("clip-square.mp4").unlink()
    with pytest.raises(PostError, match="has no video yet"):
        on_bluesky(tmp_path, bluesky).post(a_post("bluesky", clip))
    assert bluesky.posts == []


def test_bluesky_keys_are_well_formed_and_differ() -> None:
    keys = {record_key(f"post {number}") for number in range(200)}
    assert len(keys) == 200
    assert all(len(key) == 13 and key[0] in "234567abcdefghij" for key in keys), "atproto.com/specs/tid"


# ---- Telegram, by apprise


def test_telegram_gets_clip_and_words_in_one_message(tmp_path: Path, telegram: Telegram, clip: Path) -> None:
    on_telegram(tmp_path).post(a_post("apprise", clip))
    [said] = telegram.said
    assert said["method"] == "sendAudio"
    assert said["audio"][2] == b"ID3 sound"
    assert LABEL in said["caption"]


def test_telegram_a_lost_answer_is_at_most_one_message_and_a_note(
    tmp_path: Path, telegram: Telegram, clip: Path
) -> None:
    telegram.faults.append(Fault("POST", after=True))
    with pytest.raises(NotYet):
        on_telegram(tmp_path).post(a_post("apprise", clip))
    for _ in range(2):
        with pytest.raises(Perhaps, match="it may be there"):
            on_telegram(tmp_path).post(a_post("apprise", clip))
    assert len(telegram.said) == 1


def test_telegram_what_it_surely_did_not_take_is_sent_again(
    tmp_path: Path, telegram: Telegram, clip: Path
) -> None:
    telegram.faults.append(Fault("POST", busy(30)))
    with pytest.raises(NotYet, match="is busy"):
        on_telegram(tmp_path).post(a_post("apprise", clip))
    on_telegram(tmp_path).post(a_post("apprise", clip))
    assert len(telegram.said) == 1


def test_telegram_nobody_there_is_not_a_perhaps(
    tmp_path: Path, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.telegram import NotifyTelegram

    with monkeypatch.context() as nowhere:
        nowhere.setattr(NotifyTelegram, "notify_url", "http://127.0.0.1:9/bot")
        with pytest.raises(NotYet, match="cannot be reached"):
            on_telegram(tmp_path).post(a_post("apprise", None))
    on_telegram(tmp_path).post(a_post("apprise", None))
    assert len(telegram.said) == 1


def test_telegram_a_wrong_token_is_a_sentence_and_is_never_told(
    tmp_path: Path, telegram: Telegram, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "654321:" + "b" * 35
    with pytest.raises(PostError, match=r"declined \(401\)") as told:
        on_telegram(tmp_path, secret).post(a_post("apprise", None))
    assert secret not in str(told.value) + "".join(capfd.readouterr())


# ---- all of them


def test_our_own_pace_is_kept_at_every_address(tmp_path: Path, mastodon: Mastodon) -> None:
    now = [time.time()]
    journal = a_journal(tmp_path, lambda: now[0])
    outlet = MastodonOutlet(mastodon.url, TOKEN)
    calm = SocialPlace("mastodon", {"rust": lambda: outlet}, journal)
    for number in range(30):
        calm.post(a_post("mastodon", None, f"n{number}"))
    with pytest.raises(NotYet, match="has had its posts") as told:
        calm.post(a_post("mastodon", None, "one more"))
    now[0] += told.value.wait + 0.1
    calm.post(a_post("mastodon", None, "one more"))
    assert len(mastodon.statuses) == 31


def test_an_account_that_is_not_set_is_named(tmp_path: Path) -> None:
    nobody = SocialPlace("mastodon", {}, a_journal(tmp_path))
    with pytest.raises(PostError, match=r"no account 'rust' is set for mastodon"):
        nobody.post(a_post("mastodon", None))


def test_the_doctor_hears_who_the_accounts_are(tmp_path: Path, mastodon: Mastodon, bluesky: Bluesky) -> None:
    there = on_mastodon(tmp_path, mastodon).outlet(Address("mastodon", "rust"))
    assert there.look() == f"@rust on {mastodon.url}, not yet marked as automated"
    there = on_bluesky(tmp_path, bluesky).outlet(Address("bluesky", "rust"))
    assert there.look() == f"@rust.test on {bluesky.url}, not yet marked as automated"
