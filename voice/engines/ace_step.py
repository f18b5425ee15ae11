"""An ACE-Step 1.5 server as a song model: an order goes in, a finished mix comes out.

Its interface (github.com/ace-step/ACE-Step-1.5, docs/en/API.md): POST /release_task gives a task's number, POST
/query_result says how it goes (0 waiting or at work, 1 done, 2 failed; what was made is JSON inside a text), GET
/v1/audio?path= hands out the file. Every answer is wrapped as {data, code, error}.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from voice.engines.protocol import EngineError, Progress, SongMix, SongOrder
from voice.take import STUDIO_RATE

LARGEST = 400 * 2**20  # bytes of an audio file; ten minutes of stereo WAV are 230 MB
PATIENCE = 3  # questions in a row that may go unanswered


class AceStep:
    """The server at `address`, such as http://127.0.0.1:8001. `key` is its bearer key, '' where it asks for none.

    model: one of `models()`, '' for the server's own choice. limit: seconds that a song may take in all. timeout:
    seconds for one answer. pause: seconds between two questions.
    """

    name = "ace-step"
    languages = ("en", "zh", "ja", "ko", "es", "fr", "de", "it", "pt", "ru")
    controls = ("prompt", "lyrics", "seconds", "bpm", "key", "beats", "language", "seed")
    licence = "MIT (ACE-Step 1.5, code and weights)"

    def __init__(
        self,
        address: str,
        key: SecretStr | str = "",
        *,
        model: str = "",
        limit: float = 900.0,
        timeout: float = 30.0,
        pause: float = 1.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise EngineError(
                "an ACE-Step server's address looks like http://127.0.0.1:8001, without a key in it"
            )
        self.address = address.rstrip("/")
        self._key = SecretStr(key) if isinstance(key, str) else key
        self._model, self._limit, self._timeout, self._pause = model, limit, timeout, pause
        self._wait = wait

    def models(self) -> tuple[str, ...]:
        """The models that the server has, its own choice first. Raises EngineError."""
        with self._client() as client:
            data = self._ask(client, "GET", "/v1/models")
        found = data.get("models") if isinstance(data, dict) else None
        if not isinstance(found, list):
            raise self._strange("/v1/models")
        named = [one for one in found if isinstance(one, dict) and one.get("name")]
        return tuple(str(one["name"]) for one in sorted(named, key=lambda one: not one.get("is_default")))

    def check(self) -> str:
        """What the server says of itself. Raises EngineError where it does not answer, or is not well."""
        with self._client() as client:
            data = self._ask(client, "GET", "/health")
        if not isinstance(data, dict) or data.get("status") != "ok":
            raise EngineError(
                f"the ACE-Step server at {self.address} answers, but does not say that it is well"
            )
        return f"{data.get('service', 'ACE-Step')} {data.get('version', '')}".strip()

    def make(self, order: SongOrder, progress: Progress | None = None) -> SongMix:
        """Raises EngineError. A task that takes too long is left behind: the server has no way to call one back."""
        with self._client() as client:
            data = self._ask(client, "POST", "/release_task", self._task(order))
            task = data.get("task_id") if isinstance(data, dict) else None
            if not isinstance(task, str) or not task:
                raise self._strange("/release_task")
            made = self._finished(client, task, progress)
            audio = self._heard(self._download(client, str(made.get("file") or "")))
        if progress:
            progress(1.0)
        return SongMix(
            audio,
            str(made.get("dit_model") or self._model or self.name),
            str(made.get("seed_value") or order.seed),
        )

    def __repr__(self) -> str:
        return f"AceStep({self.address!r})"

    def _client(self) -> httpx.Client:
        key = self._key.get_secret_value()
        # A redirect would carry the key elsewhere; it is told as an error instead.
        return httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=self._timeout,
            follow_redirects=False,
        )

    def _task(self, order: SongOrder) -> dict[str, Any]:
        task: dict[str, Any] = {
            "task_type": "text2music",
            "prompt": order.prompt,
            "lyrics": order.lyrics or "[Instrumental]",
            "vocal_language": order.language,
            "audio_duration": order.seconds,
            "audio_format": "flac",
            "batch_size": 1,
            "use_random_seed": False,
            "seed": order.seed,
        }
        chosen = {"bpm": order.bpm, "key_scale": order.key, "model": self._model}
        chosen["time_signature"] = str(order.beats) if order.beats else None
        return task | {name: value for name, value in chosen.items() if value}

    def _finished(self, client: httpx.Client, task: str, progress: Progress | None) -> dict[str, Any]:
        """What the server made, once it is done."""
        until = time.monotonic() + self._limit
        unanswered = 0
        while time.monotonic() < until:
            try:
                rows = self._ask(client, "POST", "/query_result", {"task_id_list": [task]})
                unanswered = 0
            except _Passing as error:  # a song of minutes is not given up for one lost question
                unanswered += 1
                if unanswered > PATIENCE:
                    raise EngineError(
                        f"{error}; the song was given up after {unanswered} questions"
                    ) from error
                self._wait(self._pause)
                continue
            known = [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
            row = next((r for r in known if r.get("task_id") == task), None)
            if row is None:
                raise EngineError(
                    f"the ACE-Step server at {self.address} does not know the song that it took on"
                )
            made = self._inside(row.get("result"))
            if row.get("status") == 1:
                return made
            if row.get("status") != 0:
                why = (
                    made.get("error") or row.get("error") or row.get("progress_text") or "it does not say why"
                )
                raise EngineError(f"ACE-Step could not make the song: {_short(why)}")
            if progress and isinstance(done := made.get("progress"), int | float):
                progress(min(max(float(done), 0.0), 0.99))
            self._wait(self._pause)
        raise EngineError(f"ACE-Step did not finish the song within {self._limit:g} s: ask for a shorter one")

    def _inside(self, result: object) -> dict[str, Any]:
        """The first thing made: `result` is JSON in a text, of a list or of one."""
        try:
            found = json.loads(result) if isinstance(result, str) and result.strip() else result
        except json.JSONDecodeError as error:
            raise self._strange("/query_result") from error
        if isinstance(found, list):
            found = found[0] if found else {}
        return found if isinstance(found, dict) else {}

    def _download(self, client: httpx.Client, file: str) -> bytes:
        """`file` is an address on the server, or a path there; whatever it is, only this server is asked."""
        path = parse_qs(urlsplit(file).query).get("path", [""])[0] if "path=" in file else file
        if not path:
            raise EngineError("ACE-Step says that the song is done, but names no file")
        parts: list[bytes] = []
        size = 0
        try:
            with client.stream("GET", "/v1/audio", params={"path": path}) as answer:
                if answer.status_code != httpx.codes.OK:
                    answer.read()
                    raise EngineError(f"ACE-Step made the song but does not hand it out: {_reason(answer)}")
                for part in answer.iter_bytes():
                    size += len(part)
                    if size > LARGEST:
                        raise EngineError(f"ACE-Step's file is larger than {LARGEST >> 20} MB")
                    parts.append(part)
        except httpx.HTTPError as error:
            raise EngineError(f"the song could not be fetched from {self.address}: {_kind(error)}") from error
        return b"".join(parts)

    def _heard(self, data: bytes) -> NDArray[np.float32]:
        import soundfile
        import soxr

        try:
            audio, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, TypeError) as error:
            raise EngineError(
                f"ACE-Step's file of {len(data)} bytes is not audio that can be read"
            ) from error
        if not len(audio):
            raise EngineError("ACE-Step's file holds no sound")
        if rate != STUDIO_RATE:
            audio = soxr.resample(audio, rate, STUDIO_RATE, "VHQ")
        left, right = audio[:, 0], audio[:, min(1, audio.shape[1] - 1)]
        return np.ascontiguousarray(np.stack([left, right]), np.float32)

    def _ask(self, client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The `data` of an answer. Raises _Passing where asking again may help, else EngineError."""
        try:
            answer = client.request(method, path, json=body)
        except httpx.TimeoutException as error:
            raise _Passing(
                f"the ACE-Step server at {self.address} did not answer within {self._timeout:g} s"
            ) from error
        except httpx.HTTPError as error:
            raise _Passing(f"there is no ACE-Step server at {self.address}: {_kind(error)}") from error
        if answer.status_code in (401, 403):
            raise EngineError(
                f"the ACE-Step server at {self.address} refuses the key: set the one it was started with"
            )
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _Passing(
                f"the ACE-Step server at {self.address} is busy: its queue is full, try again later"
            )
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _Passing(f"the ACE-Step server at {self.address} failed: {_reason(answer)}")
        if answer.status_code != httpx.codes.OK:
            raise EngineError(f"the ACE-Step server at {self.address} refused {path}: {_reason(answer)}")
        try:
            wrapped = answer.json()
        except ValueError as error:
            raise self._strange(path) from error
        if not isinstance(wrapped, dict) or "data" not in wrapped:
            raise self._strange(path)
        if wrapped.get("error") or wrapped.get("code", 200) != httpx.codes.OK:
            raise EngineError(
                f"ACE-Step refused {path}: {_short(wrapped.get('error') or wrapped.get('code'))}"
            )
        return wrapped["data"]

    def _strange(self, path: str) -> EngineError:
        return EngineError(f"what answers {path} at {self.address} does not speak as an ACE-Step server does")


class _Passing(EngineError):
    """Something that may be over at the next question."""


def _reason(answer: httpx.Response) -> str:
    try:
        raw = answer.json()
        said = raw.get("detail") or raw.get("error")
    except (ValueError, AttributeError):
        said = None
    return f"{answer.status_code} {_short(said) if said else answer.reason_phrase}".strip()


def _kind(error: httpx.HTTPError) -> str:
    return _short(str(error) or type(error).__name__)


def _short(said: object) -> str:
    text = " ".join(str(said).split())
    return text if len(text) <= 200 else text[:200] + "..."
