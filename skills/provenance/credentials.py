"""Content credentials (C2PA): what a clip says of itself, signed by the operator, in the file or beside it.

They are the last thing done to a file: they hold a hash of all the rest, tags included.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from skills.files import written_whole
from skills.provenance.operator import ALGORITHM, Operator
from skills.provenance.wrapping import intact

FORMATS = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp4": "video/mp4",
}
SIDECAR = ".c2pa"  # after the whole name of a file whose format holds no credentials: clip.ogg.c2pa
BESIDE = "application/c2pa"
AI_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ASSERTION = "org.troubadour.song"
SIGNS = (b"c2pa.claim", b"c2pa.signature", b"c2pa.hash", b"urn:c2pa:")  # of credentials, even of broken ones

State = Literal["valid", "changed", "missing"]


class CredentialsError(ValueError):
    """A file that cannot be signed; the message says why."""


@dataclass(frozen=True)
class Statement:
    """What a clip says of itself. Nothing in it names a fan: `asked_by` is a salted hash from the ledger.

    song: the number that ends the song's id and that the watermark carries. models: by part of the song, each with
    name, version and licence. ingredients: by name, the SHA-256 of what the clip was made from. ledger: the hash of its
    last line.
    """

    title: str
    artist: str
    song: str
    made: str
    label: str
    program: str
    models: Mapping[str, Mapping[str, str]]
    ingredients: Mapping[str, str]
    asked_by: str
    ledger: str


@dataclass(frozen=True)
class Credentials:
    """What was found. `trusted`: signed under the root of this installation, or under one that C2PA lists.

    statement: what the signed part says (empty where it cannot be read). problems: the codes of what does not hold.
    """

    state: State
    trusted: bool = False
    signer: str = ""
    statement: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def sign(path: Path, statement: Statement, operator: Operator) -> Path:
    """Puts credentials into the file, or beside it as <name>.c2pa. Returns where they are.

    The file is replaced whole or not at all. Raises CredentialsError, OSError.
    """
    import c2pa

    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(ALGORITHM.encode(), operator.chain.encode(), operator.key, None)
    )
    builder = c2pa.Builder(_manifest(statement))
    try:
        if path.suffix not in FORMATS:
            beside = path.with_name(path.name + SIDECAR)
            with written_whole(beside) as temporary:
                temporary.write_bytes(_signed_beside(builder, signer, path.read_bytes()))
            return beside
        with written_whole(path) as temporary, path.open("rb") as source, temporary.open("w+b") as signed:
            builder.sign(signer, FORMATS[path.suffix], source, signed)
    except c2pa.C2paError as error:
        raise CredentialsError(f"{path.name} could not be given its credentials: {error}") from error
    return path


def read_credentials(path: Path, anchors: str = "", beside: Path | None = None) -> Credentials:
    """Of a file, or of its sidecar. `anchors`: PEM of roots that are trusted."""
    import c2pa

    beside = beside or path.with_name(path.name + SIDECAR)
    kind = _kind(path)
    context = c2pa.Context.from_dict({"trust": {"trust_anchors": anchors}} if anchors else {})
    try:
        with path.open("rb") as file:
            if kind and not beside.is_file():
                reader = c2pa.Reader(kind, file, context=context)
            elif beside.is_file():
                reader = c2pa.Reader(BESIDE, file, manifest_data=beside.read_bytes(), context=context)
            else:
                return Credentials("missing")
            found = json.loads(reader.json())
    except (c2pa.C2paError, ValueError) as error:
        kind = type(error).__name__.strip("_")
        left = beside.is_file() or any(sign in path.read_bytes() for sign in SIGNS)
        return Credentials("changed", problems=(f"unreadable: {kind}",)) if left else Credentials("missing")
    manifest = found["manifests"].get(found.get("active_manifest"), {})
    told: Any = next((one["data"] for one in manifest.get("assertions", []) if one["label"] == ASSERTION), {})
    results = found.get("validation_results", {}).get("activeManifest", {})
    problems = {one["code"] for one in results.get("failure", [])} - {"signingCredential.untrusted"}
    if told and not intact((beside if beside.is_file() else path).read_bytes(), found["active_manifest"]):
        problems.add("wrapping.changed")
    signed = manifest.get("signature_info", {})
    return Credentials(
        "changed" if problems or found.get("validation_state") == "Invalid" else "valid",
        found.get("validation_state") == "Trusted",
        ", ".join(filter(None, (signed.get("common_name"), signed.get("issuer")))),
        told if isinstance(told, dict) else {},
        tuple(sorted(problems)),
    )


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind(path: Path) -> str:
    """The MIME type that a file's first bytes show, else the one of its name, '' where it holds no credentials."""
    with path.open("rb") as file:
        start = file.read(12)
    if start.startswith(b"OggS"):
        return ""
    if start.startswith(b"RIFF") and start.endswith(b"WAVE"):
        return FORMATS[".wav"]
    if start.startswith(b"fLaC"):
        return FORMATS[".flac"]
    if start[4:8] == b"ftyp":
        return FORMATS[".m4a" if start[8:11] == b"M4A" else ".mp4"]
    if start.startswith(b"ID3") or (start[:1] == b"\xff" and start[1] & 0xE0 == 0xE0):
        return FORMATS[".mp3"]
    return FORMATS.get(path.suffix.lower(), "")


def _manifest(statement: Statement) -> dict[str, Any]:
    program, _, number = statement.program.partition(" ")
    agent = {"name": program, "version": number}
    models = ", ".join(f"{model['name']} {model['version']}".strip() for model in statement.models.values())
    created = {
        "action": "c2pa.created",
        "digitalSourceType": AI_MADE,
        "softwareAgent": agent,
        "when": statement.made,
        "description": f"{statement.label} Models: {models}.",
    }
    told = {
        "artist": statement.artist,
        "song": statement.song,
        "made": statement.made,
        "label": statement.label,
        "program": statement.program,
        "models": {part: dict(model) for part, model in statement.models.items()},
        "ingredients": dict(statement.ingredients),
        "asked_by": statement.asked_by,
        "ledger": statement.ledger,
    }
    return {
        "claim_generator_info": [agent],
        "title": statement.title,
        "ingredients": _ingredients(statement.ingredients),
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created], "allActionsIncluded": True}},
            {"label": ASSERTION, "data": told},
        ],
    }


def _ingredients(parts: Mapping[str, str]) -> Sequence[dict[str, str]]:
    return [
        {"title": name, "relationship": "inputTo", "instance_id": f"sha256:{digest}"}
        for name, digest in parts.items()
    ]


def _signed_beside(builder: Any, signer: Any, data: bytes) -> bytes:
    """A manifest over a file of any format, by its hash: the library's C interface; its Python one leaves it out."""
    import c2pa

    library, made = c2pa.c2pa._lib, ctypes.POINTER(ctypes.c_ubyte)()
    prepare, finish = (
        library.c2pa_builder_data_hashed_placeholder,
        library.c2pa_builder_sign_data_hashed_embeddable,
    )
    prepare.restype = finish.restype = ctypes.c_int64
    prepare.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p]
    finish.argtypes = [*[ctypes.c_void_p] * 2, *[ctypes.c_char_p] * 2, *[ctypes.c_void_p] * 2]
    digest = list(hashlib.sha256(data).digest())
    over = {"exclusions": [], "name": "jumbf manifest", "alg": "sha256", "hash": digest, "pad": ""}
    size = prepare(builder._handle, signer.reserve_size(), BESIDE.encode(), ctypes.byref(made))
    if size >= 0:
        library.c2pa_manifest_bytes_free(made)
        size = finish(
            builder._handle,
            signer._handle,
            json.dumps(over).encode(),
            BESIDE.encode(),
            None,
            ctypes.byref(made),
        )
    if size < 0:
        raise c2pa.C2paError(str(ctypes.string_at(library.c2pa_error()), "utf-8", "replace"))
    try:
        return bytes(made[:size])
    finally:
        library.c2pa_manifest_bytes_free(made)
