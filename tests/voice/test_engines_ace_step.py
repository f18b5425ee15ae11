"""An ACE-Step server makes a song, over real HTTP on loopback; each of its failures becomes a sentence."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.voice.ace_step_server import RATE, TASK, Server, serving, wrapped
from voice.engines import EngineError, SongModel, SongOrder, song_model
from voice.engines.ace_step import AceStep
from voice.take import STUDIO_RATE

ORDER = SongOrder("slow blues, male voice", "[Verse]\nThe last train home", 20, 90, "A minor", 3, seed=7)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def client(server: Server, **more: Any) -> AceStep:
    return AceStep(server.address, **{"pause": 0.0, "timeout": 5.0, **more})


def loudest(sound: Any) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * STUDIO_RATE / len(sound))


def test_an_order_becomes_a_mix_at_the_rate_of_the_studio(server: Server) -> None:
    heard: list[float] = []
    mix = client(server).make(ORDER, heard.append)
    assert mix.audio.shape == (2, 2 * STUDIO_RATE) and mix.audio.dtype == np.float32
    assert RATE != STUDIO_RATE
    assert loudest(mix.audio[0]) == pytest.approx(220, abs=1) and loudest(mix.audio[1]) == pytest.approx(
        330, abs=1
    )
    assert (mix.model, mix.seed, mix.seconds) == ("acestep-v15-turbo", "7", 2.0)
    assert heard == [0.5, 0.5, 1.0]
    assert server.seen == ["POST /release_task", *["POST /query_result"] * 3, "GET /v1/audio"]


def test_the_server_is_told_all_that_was_asked_for(server: Server) -> None:
    client(server, model="acestep-v15-base").make(ORDER)
    [order] = server.orders
    assert order == {
        "task_type": "text2music", "prompt": "slow blues, male voice", "lyrics": "[Verse]\nThe last train home",
        "vocal_language": "en", "audio_duration": 20, "audio_format": "flac", "batch_size": 1,
        "use_random_seed": False, "seed": 7, "bpm": 90, "key_scale": "A minor", "time_signature": "3",
        "model": "acestep-v15-base",
    }  # fmt: skip


def test_what_was_not_asked_for_is_left_to_the_model(server: Server) -> None:
    client(server).make(SongOrder("blues"))
    assert not {"bpm", "key_scale", "time_signature", "model"} & server.orders[0].keys()
    assert server.orders[0]["lyrics"] == "[Instrumental]"


def test_it_tells_its_models_and_its_health(server: Server) -> None:
    assert client(server).models() == ("acestep-v15-turbo", "acestep-v15-base")
    assert client(server).check() == "ACE-Step API 1.0"
    server.answers["/health"] = wrapped({"status": "loading"})[1]
    with pytest.raises(EngineError, match="does not say that it is well"):
        client(server).check()


def test_it_is_chosen_by_name_and_says_what_it_is(server: Server) -> None:
    model = song_model("ace-step", server.address)
    assert isinstance(model, SongModel)
    assert "en" in model.languages and "lyrics" in model.controls and "MIT" in model.licence
    with pytest.raises(EngineError, match="no song model is called 'troubadour', it sings scores"):
        song_model("troubadour", server.address)


def test_the_key_goes_with_every_question_and_is_never_said(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.key = "very-secret-key"
    model = client(server, key=SecretStr("very-secret-key"))
    model.make(ORDER)
    assert set(server.headers) == {"Bearer very-secret-key"}
    with pytest.raises(EngineError, match="refuses the key") as refused:
        client(server, key="other-secret-key").make(ORDER)
    told = caplog.text + repr(model) + str(vars(model)) + str(refused.value)
    assert "secret-key" not in told


def test_a_redirect_is_not_followed_with_the_key(server: Server) -> None:
    with serving(Server()) as elsewhere:
        server.redirect = elsewhere.address
        with pytest.raises(EngineError, match="refused /release_task: 307"):
            client(server, key="very-secret-key").make(ORDER)
        assert elsewhere.headers == []


def test_a_file_elsewhere_is_asked_of_this_server_only(server: Server) -> None:
    with serving(Server()) as elsewhere:
        done = json.dumps([{"file": f"{elsewhere.address}/v1/audio?path=x", "status": 1}])
        server.answers["/query_result"] = wrapped([{"task_id": TASK, "status": 1, "result": done}])[1]
        with pytest.raises(EngineError, match="does not hand it out: 404 Not Found"):
            client(server).make(ORDER)
        assert elsewhere.seen == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_question_that_fails_once_does_not_cost_the_song(server: Server, status: int) -> None:
    server.failures = [("/query_result", status)] * 3
    assert client(server).make(ORDER).seconds == 2.0


@pytest.mark.parametrize(
    ("failures", "says"),
    [
        ([("/release_task", 400)], "refused /release_task: 400 made to fail"),
        ([("/release_task", 429)], "is busy: its queue is full"),
        ([("/release_task", 500)], "failed: 500 made to fail"),
        ([("/query_result", 500)] * 4, "failed: 500 .*; the song was given up after 4 questions"),
        ([("/v1/audio", 404)], "does not hand it out: 404"),
    ],
)
def test_what_the_server_refuses_is_said(server: Server, failures: list[tuple[str, int]], says: str) -> None:
    server.failures = failures
    with pytest.raises(EngineError, match=says):
        client(server).make(ORDER)
    assert server.seen.count("POST /release_task") == 1  # never ordered twice


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        ("/release_task", b"<html>hello</html>", "does not speak as an ACE-Step server"),
        ("/release_task", b"[1, 2]", "does not speak as an ACE-Step server"),
        ("/release_task", wrapped({"no": "task"})[1], "does not speak as an ACE-Step server"),
        (
            "/release_task",
            wrapped(None, 500, "model not loaded")[1],
            "refused /release_task: model not loaded",
        ),
        ("/query_result", wrapped([])[1], "does not know the song that it took on"),
        ("/query_result", wrapped("soon")[1], "does not know the song that it took on"),
        ("/v1/audio", b"not a sound", "file of 11 bytes is not audio"),
    ],
)
def test_strange_answers_are_named_as_such(server: Server, path: str, answer: bytes, says: str) -> None:
    server.answers[path] = answer
    with pytest.raises(EngineError, match=says):
        client(server).make(ORDER)


@pytest.mark.parametrize(
    ("result", "says"), [("[]", "names no file"), ("", "names no file"), ("{oops", "does not speak")]
)
def test_a_result_without_a_song_is_noticed(server: Server, result: str, says: str) -> None:
    server.answers["/query_result"] = wrapped([{"task_id": TASK, "status": 1, "result": result}])[1]
    with pytest.raises(EngineError, match=says):
        client(server).make(ORDER)


def test_a_task_that_failed_says_why(server: Server) -> None:
    server.ends = 2
    with pytest.raises(EngineError, match="could not make the song: CUDA out of memory"):
        client(server).make(ORDER)


def test_a_song_that_is_never_done_is_given_up(server: Server) -> None:
    server.questions = 1_000_000
    with pytest.raises(EngineError, match=r"did not finish the song within 0.2 s"):
        client(server, limit=0.2, pause=0.01).make(ORDER)


def test_no_server_and_a_silent_one_are_told_apart() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineError, match="there is no ACE-Step server at"):
            AceStep(address).check()
        taken.listen()  # the system takes the call, and nobody answers
        with pytest.raises(EngineError, match=r"did not answer within 0.2 s"):
            AceStep(address, timeout=0.2).check()


@pytest.mark.parametrize(
    "address", ["", "localhost:8001", "ftp://here", "http://key@here:8001", "http://here/?key=a"]
)
def test_an_address_that_cannot_be_is_refused(address: str) -> None:
    with pytest.raises(EngineError, match="looks like"):
        AceStep(address)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompt": " "}, "told what the song is to be like"),
        ({"seconds": 9}, "10 to 600 seconds"),
        ({"bpm": 20}, "30 to 300 beats"),
        ({"beats": 5}, "2, 3, 4 or 6"),
    ],
)
def test_an_order_out_of_range_is_refused_before_it_is_sent(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(EngineError, match=says):
        SongOrder(**{"prompt": "blues", **wrong})
