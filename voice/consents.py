"""Consents on disk: signed with a person's key, and taken back wherever that person's voice lies."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from voice.consent import Consent, ConsentError, read_consent

CARDS = ("troubadour.yaml", "consent.yaml")  # of a voicebank, of a folder of recordings


def signed(record: Consent, key: Path) -> Consent:
    """The record with its person's signature. `key`: their Ed25519 key in PEM, made there (0600) if it is missing.

    Raises ConsentError, OSError.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not key.exists():
        made = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConsentError(f"{key} is not an Ed25519 key in PEM without a password")
    return dataclasses.replace(
        record, key=private.public_key().public_bytes_raw().hex(), signature=private.sign(record.words).hex()
    )


def revoke(folder: Path, name: str, today: date | None = None) -> list[Path]:
    """Takes back a person's consent in every voice, voicebank and recording under `folder`; returns the files.

    `name`: of the person, or of a voice (then of everyone whose voice it is). Raises ConsentError for an unknown name.
    """
    day = (today or datetime.now(UTC).date()).isoformat()
    touched = []
    for path, raw in _held(folder):
        records = [dataclasses.asdict(one) for one in _records(raw["consent"] if "who" not in raw else raw)]
        voice = name in (raw.get("name"), path.stem, path.parent.name)
        meant = [one for one in records if voice or one["who"].casefold() == name.casefold()]
        if not meant:
            continue
        for one in meant:
            one["revoked"] = one["revoked"] or day
        _write(path, {**raw, "consent": records} if "who" not in raw else records[0])
        touched.append(path)
    if not touched:
        raise ConsentError(
            f"no voice under {folder} has a consent of {name!r}: name a person or a voice as `troubadour voices list` "
            "shows them (a synthetic voice is nobody's)"
        )
    return touched


def _records(raw: Any) -> tuple[Consent, ...]:
    try:
        consent = read_consent(raw)
    except ConsentError:
        return ()
    return () if isinstance(consent, str) else consent


def _held(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every file under `folder` that holds a consent, with what it says."""
    for path in sorted(one for one in folder.rglob("*") if one.suffix == ".json" or one.name in CARDS):
        try:
            text = path.read_text("utf-8")
            raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(raw, list):
            raw = {"consent": raw}
        if isinstance(raw, dict) and ("consent" in raw or "who" in raw):
            yield path, raw


def _write(path: Path, raw: dict[str, Any]) -> None:
    """Whole or not at all: a revocation must not damage a voice."""
    told = raw["consent"] if set(raw) == {"consent"} else raw
    if path.suffix == ".json":
        text = json.dumps(told, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(json.loads(json.dumps(told)), allow_unicode=True, sort_keys=False)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).chmod(path.stat().st_mode & 0o777)
    Path(temporary).replace(path)
