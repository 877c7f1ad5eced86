"""Whether mail may be encrypted to a certificate: its dates, key and use, its path, its revocation.

Without authorities in the settings, the directory's word is what a certificate is trusted by, as it
was imported. With them, each must lead to one of them, and a current revocation list must speak for
every certificate on the way: what no list covers, or only an old one, is held.
Source: reliability 5.2, F-M11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock

from asn1crypto import crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InsufficientRevinfoError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    RevokedError,
    StaleRevinfoError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)

from protocol.errors import Refused

MIN_RSA_BITS = 2048
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
REMEMBERED = timedelta(hours=1)
"""How long a verdict on a path stands, unless a list or certificate ends before, or a file changes."""
KNOWN_CERTIFICATES = 50_000
_LISTS_REQUIRED = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.CRL_REQUIRED,
        intermediate_ca_cert_rule=RevocationCheckingRule.CRL_REQUIRED,
    )
)
_MAIL = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}

Flaw = tuple[str, str]
"""A reason code, and words that say what is wrong and what to do."""
_NO_LIST = (
    "no revocation list speaks for the certificate or its issuer: put those of its authorities into "
    "the folder LEERP_SMIME__CRL_FOLDER"
)
_OLD_ISSUER = (
    "an authority between the certificate and a trusted one is not valid now: put its current "
    "certificate into the folder LEERP_SMIME__INTERMEDIATE_FOLDER"
)
_WRONG_KEY = (
    f"the certificate's key must be RSA of {MIN_RSA_BITS} bits or more, or elliptic on a NIST curve, and "
    "no X25519 or other: ask for another"
)
_SIGNS_ONLY = (
    "the certificate's key is for RSA-PSS signatures only, nobody can decrypt with it: ask for one whose "
    "key is plain RSA (its signature may be RSA-PSS)"
)
_UNKNOWN_ISSUER = (
    "no trusted authority has issued the certificate: import one by an authority in "
    "LEERP_SMIME__TRUST_FOLDER, or add its authority there"
)
_FLAWS: tuple[tuple[tuple[type[Exception], ...], Flaw], ...] = (
    ((InsufficientRevinfoError,), ("no-revocation-list", _NO_LIST)),
    ((ExpiredError, NotYetValidError), ("issuer-expired", _OLD_ISSUER)),
    ((PathBuildingError, InvalidCertificateError), ("issuer-unknown", _UNKNOWN_ISSUER)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What was found out about a path, and between which moments that holds."""

    since: datetime
    until: datetime
    flaw: Flaw | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The authorities and revocation lists of one moment. ``anchors`` is None where none are asked for."""

    anchors: tuple[asn1_x509.Certificate, ...] | None = None
    intermediates: tuple[asn1_x509.Certificate, ...] = ()
    lists: tuple[crl.CertificateList, ...] = ()
    _verdicts: dict[x509.Certificate, _Verdict] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def require(self, certificate: x509.Certificate, at: datetime) -> None:
        """Make sure that mail may be encrypted to this certificate at this moment.

        Raises:
            Refused: as ``require_usable``; with anchors also ``issuer-unknown``,
                ``certificate-revoked``, ``no-revocation-list``, ``revocation-list-expired``,
                ``issuer-expired`` or ``certificate-path``.
        """
        require_usable(certificate, at)
        if self.anchors is not None and (flaw := self._flaw(certificate, at)):
            raise Refused(*flaw)

    def _flaw(self, certificate: x509.Certificate, at: datetime) -> Flaw | None:
        with self._lock:  # the validator's state is not made for several threads
            known = self._verdicts.get(certificate)
            if known is None or not known.since <= at < known.until:
                flaw = _in_a_loop_of_its_own(self, certificate, at)
                ends = (end for end in self._ends() if end > at)
                until = min([at + REMEMBERED, *ends])
                known = _Verdict(since=at, until=until, flaw=flaw)
                self._verdicts[certificate] = known
        return known.flaw

    def _ends(self) -> Iterator[datetime]:
        for each in (*(self.anchors or ()), *self.intermediates):
            yield each.not_valid_after
        for each in self.lists:
            if (end := each["tbs_cert_list"]["next_update"].native) is not None:
                yield end


PINNED = Trust()
"""Trusts what the directory says."""


@lru_cache(maxsize=KNOWN_CERTIFICATES)
def read_certificate(pem: str) -> x509.Certificate:
    """The certificate in a contact's entry, read once. Raises ValueError: there is none."""
    return x509.load_pem_x509_certificate(pem.encode())


def require_usable(certificate: x509.Certificate, now: datetime) -> None:
    """Make sure that mail can be encrypted to this certificate now, whoever issued it.

    Raises:
        Refused: ``certificate-expired`` (or not yet valid), ``certificate-key`` (neither RSA of 2,048
            bits nor a NIST curve, or for signatures only), ``certificate-usage`` (not meant for
            encryption, or for mail).
    """
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Refused(
            "certificate-expired",
            f"the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: import a current one",
        )
    if flaw := _flaw_of_its_own(certificate):
        raise Refused(*flaw)


@lru_cache(maxsize=KNOWN_CERTIFICATES)
def _flaw_of_its_own(certificate: x509.Certificate) -> Flaw | None:
    """What is wrong with it at any time."""
    if flaw := _key_flaw(certificate):
        return flaw
    elliptic = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    for extension in certificate.extensions:
        match extension.value:
            case x509.KeyUsage() as usage if not (
                usage.key_agreement if elliptic else usage.key_encipherment
            ):
                return "certificate-usage", "the certificate is not meant for encryption"
            case x509.ExtendedKeyUsage() as purposes if not _MAIL & set(purposes):
                return "certificate-usage", "the certificate is not meant for mail"
            case x509.BasicConstraints(ca=True):
                return "certificate-usage", "the certificate is an authority's, not a mailbox's"
    return None


def _key_flaw(certificate: x509.Certificate) -> Flaw | None:
    """Why nothing can be encrypted to its key, or read by its holder."""
    try:
        public = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "certificate-key", _WRONG_KEY
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        return "certificate-key", _SIGNS_ONLY
    match public:
        case rsa.RSAPublicKey() if public.key_size >= MIN_RSA_BITS:
            return None
        case ec.EllipticCurvePublicKey() if isinstance(public.curve, CURVES):
            return None
        case _:
            return "certificate-key", _WRONG_KEY


def _in_a_loop_of_its_own(trust: Trust, certificate: x509.Certificate, at: datetime) -> Flaw | None:
    """The validator is asynchronous though nothing is fetched; callers may be in a loop or not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_path_flaw(trust, certificate, at))
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, _path_flaw(trust, certificate, at)).result()


async def _path_flaw(trust: Trust, certificate: x509.Certificate, at: datetime) -> Flaw | None:
    context = ValidationContext(
        trust_roots=list(trust.anchors or ()),
        other_certs=trust.intermediates,
        crls=trust.lists,
        moment=at,
        revinfo_policy=_LISTS_REQUIRED,
    )
    own = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    try:
        await CertificateValidator(own, validation_context=context).async_validate_path()
    except RevokedError as error:
        return (
            "certificate-revoked",
            (
                f"the certificate, or its issuer's, was revoked on {error.revocation_dt:%Y-%m-%d %H:%M} "
                "UTC: ask the contact for a new one by another way"
            ),
        )
    except StaleRevinfoError as error:
        return (
            "revocation-list-expired",
            (
                f"the revocation list for the certificate ended on {error.time_cutoff:%Y-%m-%d %H:%M} "
                "UTC: put a current one into the folder LEERP_SMIME__CRL_FOLDER"
            ),
        )
    except (PathBuildingError, ValidationError) as error:
        known = (flaw for kinds, flaw in _FLAWS if isinstance(error, kinds))
        return next(known, ("certificate-path", f"the certificate's path does not hold: {error}"))
    return None
