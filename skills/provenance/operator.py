"""The operator's certificate: with it every clip's credentials are signed.

At first start a small chain is made: a root of its own (whose key is thrown away once it has signed) and a leaf that
may sign and nothing else, as C2PA asks. The leaf's key never leaves its file, which only its owner may read.
A certificate from an authority takes its place by two settings (docs/provenance.md).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from skills.files import alone, write_text_whole

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

CHAIN, KEY = "certificate.pem", "certificate.key"
ALGORITHM = "es256"
VALID = timedelta(days=3650)


class OperatorError(ValueError):
    """A certificate or key that cannot be used; the message says which file and what to do."""


@dataclass(frozen=True)
class Operator:
    """`chain`: PEM, the leaf first. `own`: made here, so that nobody else vouches for it. `files`: the certificate's
    and the key's."""

    chain: str
    own: bool
    key: bytes = field(repr=False)
    files: tuple[Path, Path]

    @property
    def anchors(self) -> str:
        """PEM of what this installation trusts by itself: the root of its own chain, if it is one."""
        begin = "-----BEGIN CERTIFICATE-----"
        return begin + self.chain.split(begin)[-1] if self.own else ""


def load_operator(folder: Path, certificate: Path | None = None, key: Path | None = None) -> Operator:
    """The operator's own certificate where both files are given, else the one in `folder`, made now if need be.

    Raises OperatorError.
    """
    if (certificate is None) != (key is None):
        raise OperatorError(
            "a certificate needs its key: set provenance.certificate and provenance.key, or neither"
        )
    own = certificate is None or key is None
    if certificate is None or key is None:
        certificate, key = folder / CHAIN, folder / KEY
        make_operator(certificate, key)
    try:
        operator = Operator(certificate.read_text("utf-8"), own, key.read_bytes(), (certificate, key))
    except OSError as error:
        raise OperatorError(f"{error.filename} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise OperatorError(f"{certificate} is not a certificate chain in PEM") from None
    _check(operator, certificate, key)
    return operator


def _check(operator: Operator, certificate: Path, key: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        leaf = x509.load_pem_x509_certificates(operator.chain.encode())[0]
    except ValueError:
        raise OperatorError(f"{certificate} is not a certificate chain in PEM") from None
    try:
        private = load_pem_private_key(operator.key, None)
    except (ValueError, TypeError):
        raise OperatorError(f"{key} is not a private key in PEM without a password") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise OperatorError(f"{key} must be a key on the curve P-256 (ES256)")
    if private.public_key() != leaf.public_key():
        raise OperatorError(f"{key} is not the key of the first certificate in {certificate}")
    if leaf.not_valid_after_utc < datetime.now(UTC):
        how = "delete both files and a new one is made" if operator.own else "ask its authority for a new one"
        raise OperatorError(f"{certificate} ended on {leaf.not_valid_after_utc:%Y-%m-%d}: {how}")


def make_operator(certificate: Path, key: Path) -> None:
    """Makes both files, unless they are there. Two processes may ask at the same time: one makes, the other finds."""
    for folder in {certificate.parent, key.parent}:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(certificate.parent / ".lock"):
        if certificate.is_file() and key.is_file():
            return
        made, secret = _made()
        write_secret(key, secret)
        write_text_whole(certificate, made)


def write_secret(path: Path, secret: bytes) -> None:
    """Only the owner may read it, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _made() -> tuple[str, bytes]:
    """A chain (PEM, the leaf first) and the leaf's key (PEM)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        _begun("Troubadour root", "Troubadour root", root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _begun("Troubadour clips", "Troubadour root", leaf_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    chain = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in (leaf, root))
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return chain, key


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A Troubadour of one's own"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=366))  # a clock that was ahead is set right some day
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    from cryptography import x509

    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
        "crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{use: use in allowed for use in every.split()})
