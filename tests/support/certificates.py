"""Certificates of an authority that exists for one test run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

KEY_PASSWORD = "the key's own password"

_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs what it is asked to, and writes it into ``folder``."""

    folder: Path
    name: str
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str) -> Self:
        """A new one; ``ca`` holds its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        usage = x509.BasicConstraints(ca=True, path_length=None)
        certificate = _begun(subject, subject, key).add_extension(usage, critical=True).sign(key, hashes.SHA256())
        made = cls(folder, name, key, certificate)
        made.ca.write_bytes(certificate.public_bytes(Encoding.PEM))
        return made

    @property
    def ca(self) -> Path:
        return self.folder / f"{self.name}.ca.pem"

    def sign(self, name: str, addresses: Sequence[str] = ()) -> tuple[Path, Path]:
        """Certificate and key of ``name``, valid for servers at the IP ``addresses``. The key has ``KEY_PASSWORD``."""
        key, certificate = self._signed(name, addresses)
        files = self.folder / f"{name}.certificate.pem", self.folder / f"{name}.key.pem"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(_text(key, BestAvailableEncryption(KEY_PASSWORD.encode())))
        return files

    def keystore(self, name: str, addresses: Sequence[str]) -> Path:
        """Key, certificate and this authority's own in one file, as Java reads them."""
        key, certificate = self._signed(name, addresses)
        chain = certificate.public_bytes(Encoding.PEM) + self._certificate.public_bytes(Encoding.PEM)
        file = self.folder / f"{name}.keystore.pem"
        file.write_bytes(_text(key, NoEncryption()) + chain)
        return file

    def _signed(self, name: str, addresses: Sequence[str]) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        begun = _begun(_named(name), self._certificate.subject, key)
        if addresses:
            places = x509.SubjectAlternativeName([x509.IPAddress(ip_address(each)) for each in addresses])
            begun = begun.add_extension(places, critical=False)
        return key, begun.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + _LIFE)
    )


def _text(key: ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
