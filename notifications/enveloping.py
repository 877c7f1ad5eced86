"""Encryption to one X.509 certificate, as a CMS object in DER (RFC 5652, 5083, 5753).

AES-256-CBC to an RSA key by PKCS #1 v1.5 is the library's own; what it does not do yet (OAEP, GCM,
elliptic keys) is put together here of asn1crypto's structures and the library's primitives.
Source: reliability 0.11, 5.2.
"""

from __future__ import annotations

import os
from enum import StrEnum

from asn1crypto import algos, cms, core, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import pkcs7
from pydantic import BaseModel, ConfigDict

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
ECDH_SHA256 = "1.3.132.1.11.1"
"""dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753)."""
AES256_WRAP = "2.16.840.1.101.3.4.1.45"


class ContentCipher(StrEnum):
    """What the text is encrypted with."""

    CBC = "aes256-cbc"
    GCM = "aes256-gcm"


class KeyTransport(StrEnum):
    """How the text's key reaches an RSA key; an elliptic one always gets it by ECDH."""

    PKCS1 = "rsa-pkcs1"
    OAEP = "rsa-oaep"


class SmimeProfile(BaseModel):
    """What a recipient's software can open; by default what all of it can."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: ContentCipher = ContentCipher.CBC
    transport: KeyTransport = KeyTransport.PKCS1

    def word(self, certificate: x509.Certificate) -> str:
        """The choice for this certificate, for the audit trail."""
        elliptic = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
        return f"smime-{self.content}-{'ecdh' if elliptic else self.transport}"


def envelop(data: bytes, certificate: x509.Certificate, profile: SmimeProfile) -> bytes:
    """Encrypt ``data``: EnvelopedData, or AuthEnvelopedData for GCM, in DER.

    Raises:
        TypeError: the key is neither RSA nor elliptic; ``trust.require_usable`` says so before.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and profile == SmimeProfile():
        return (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(data)
            .set_content_encryption_algorithm(algorithms.AES256)
            .add_recipient(certificate)
            .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
        )
    content_key = os.urandom(KEY_BYTES)
    match key:
        case rsa.RSAPublicKey():
            recipient = _transported(content_key, certificate, key, profile.transport)
        case ec.EllipticCurvePublicKey():
            recipient = _agreed(content_key, certificate, key)
        case _:
            raise TypeError("the certificate's key is neither RSA nor elliptic")
    if profile.content is ContentCipher.GCM:
        return _authenticated(data, content_key, recipient)
    return _chained(data, content_key, recipient)


def _chained(data: bytes, content_key: bytes, recipient: cms.RecipientInfo) -> bytes:
    vector = os.urandom(algorithms.AES.block_size // 8)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(content_key), modes.CBC(vector)).encryptor()
    encrypted = encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
    enveloped = cms.EnvelopedData(
        {
            "version": "v2" if recipient.name == "kari" else "v0",
            "recipient_infos": [recipient],
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {
                    "algorithm": "aes256_cbc",
                    "parameters": core.OctetString(vector),
                },
                "encrypted_content": encrypted,
            },
        }
    )
    return _dumped("enveloped_data", enveloped)


class _GcmParameters(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    _fields = [("nonce", core.OctetString), ("tag_length", core.Integer)]  # noqa: RUF012


def _authenticated(data: bytes, content_key: bytes, recipient: cms.RecipientInfo) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(content_key).encrypt(nonce, data, None)
    parameters = _GcmParameters({"nonce": nonce, "tag_length": TAG_BYTES})
    enveloped = cms.AuthEnvelopedData(
        {
            "version": "v0",
            "recipient_infos": [recipient],
            "auth_encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {
                    "algorithm": "aes256_gcm",
                    "parameters": parameters,
                },
                "encrypted_content": sealed[:-TAG_BYTES],
            },
            "mac": sealed[-TAG_BYTES:],
        }
    )
    return _dumped("authenticated_enveloped_data", enveloped)


def _dumped(content_type: str, content: core.Sequence) -> bytes:
    made: bytes = cms.ContentInfo({"content_type": content_type, "content": content}).dump()
    return made


def _transported(
    content_key: bytes,
    certificate: x509.Certificate,
    key: rsa.RSAPublicKey,
    transport: KeyTransport,
) -> cms.RecipientInfo:
    """The key encrypted to an RSA key: PKCS #1 v1.5, or OAEP with SHA-256 (RFC 3560, 8017)."""
    if transport is KeyTransport.PKCS1:
        scheme: rsa_padding.AsymmetricPadding = rsa_padding.PKCS1v15()
        algorithm = cms.KeyEncryptionAlgorithm({"algorithm": "rsaes_pkcs1v15"})
    else:
        scheme = rsa_padding.OAEP(
            mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None
        )
        parameters = algos.RSAESOAEPParams(
            {
                "hash_algorithm": {"algorithm": "sha256"},
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
            }
        )
        algorithm = cms.KeyEncryptionAlgorithm(
            {"algorithm": "rsaes_oaep", "parameters": parameters}
        )
    transported = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": {"issuer_and_serial_number": _issuer_and_serial(certificate)},
            "key_encryption_algorithm": algorithm,
            "encrypted_key": key.encrypt(content_key, scheme),
        }
    )
    return cms.RecipientInfo({"ktri": transported})


class _SharedInfo(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    """ECC-CMS-SharedInfo (RFC 5753 section 7.2)."""

    _fields = [  # noqa: RUF012
        ("key_info", algos.AlgorithmIdentifier),
        ("public_info", core.OctetString, {"explicit": 2}),
    ]


def _agreed(
    content_key: bytes, certificate: x509.Certificate, key: ec.EllipticCurvePublicKey
) -> cms.RecipientInfo:
    """The key wrapped by one that an elliptic key of this mail's own agrees on with the recipient's."""
    own = ec.generate_private_key(key.curve)
    wrap = algos.AlgorithmIdentifier({"algorithm": AES256_WRAP})
    shared_info = _SharedInfo(
        {"key_info": wrap, "public_info": (KEY_BYTES * 8).to_bytes(4, "big")}
    ).dump()
    wrapping = X963KDF(hashes.SHA256(), KEY_BYTES, shared_info).derive(own.exchange(ec.ECDH(), key))
    originator = keys.PublicKeyInfo.load(
        own.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    agreed = cms.KeyAgreeRecipientInfo(
        {
            "version": "v3",
            "originator": {"originator_key": originator},
            "key_encryption_algorithm": {"algorithm": ECDH_SHA256, "parameters": wrap},
            "recipient_encrypted_keys": [
                {
                    "rid": {"issuer_and_serial_number": _issuer_and_serial(certificate)},
                    "encrypted_key": keywrap.aes_key_wrap(wrapping, content_key),
                }
            ],
        }
    )
    return cms.RecipientInfo({"kari": agreed})


def _issuer_and_serial(certificate: x509.Certificate) -> cms.IssuerAndSerialNumber:
    return cms.IssuerAndSerialNumber(
        {
            "issuer": asn1_x509.Name.load(certificate.issuer.public_bytes()),
            "serial_number": certificate.serial_number,
        }
    )
