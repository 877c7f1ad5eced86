"""Building mails alone (R7): ``Packer.pack``, against bare PKCS #7 of the same bytes.

``python -m leerp.bench.campaign_build HOME CAMPAIGN MAILS``: ``HOME`` has the campaign frozen, and the
recipients' private key. Writes the size of what is signed, mails a second of the control before, the
subject and the control after, and the seconds that the shared parts took, as JSON to standard output.
Source: reliability 1.6.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7

from infra.bootstrap import configure_logging
from infra.database import Database
from infra.keys import load_keys
from infra.memory import keep_memory_small
from leerp.bench.campaign_ground import RECIPIENT_KEY, claim_some, home_in, pack, packer_of
from leerp.bench.ground import Home
from notifications.outbox import Claim, Range
from notifications.parcels import Packer, Parcel
from notifications.sending import CLAIM_SIZE
from notifications.smime import Signer, unseal


def control(inner: bytes, parcel: Parcel, signer: Signer, mails: int) -> float:
    """Mails a second, signed and encrypted in DER and no more."""
    certificate = parcel.contact.x509()
    if certificate is None:
        raise ValueError("the recipient of the control has no certificate")
    begun = time.perf_counter()
    for _ in range(mails):
        (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(inner)
            .add_signer(signer.certificate, signer.key, hashes.SHA256())
            .sign(
                serialization.Encoding.DER,
                [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
            )
        )
        (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(inner)
            .set_content_encryption_algorithm(algorithms.AES256)
            .add_recipient(certificate)
            .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
        )
    return mails / (time.perf_counter() - begun)


def subject(database: Database, packer: Packer, claims: Sequence[Claim]) -> float:
    """Mails a second through ``Packer.pack``, in the groups of a sender."""
    begun = time.perf_counter()
    for first in range(0, len(claims), CLAIM_SIZE):
        pack(database, packer, claims[first : first + CLAIM_SIZE])
    return len(claims) / (time.perf_counter() - begun)


def measure(home: Home, campaign_id: str, mails: int) -> list[float]:
    """One round; the first mail of each variant is built before it, with all that its mails share.

    That, such as a typeset page, is made once however many the recipients; how long it takes stands
    last in the list.
    """
    keys = load_keys(home.folder / "keys")
    signer = Signer.load(keys.signer_certificate_file, keys.signer_key_file)
    with closing(Database(home.url)) as database:
        rows = Range(campaign_id=campaign_id, start=0, end=mails)
        claims = claim_some(database, rows, mails)
        packer = packer_of(home, database, campaign_id)
        firsts = {claim.variant: claim for claim in reversed(claims)}
        begun = time.perf_counter()
        (parcel, *_) = pack(database, packer, sorted(firsts.values(), key=claims.index))
        shared = time.perf_counter() - begun
        inner = _inner(home.folder / RECIPIENT_KEY, parcel)
        before = control(inner, parcel, signer, mails)
        built = subject(database, packer, claims)
        return [len(inner), before, built, control(inner, parcel, signer, mails), shared]


def _inner(key_file: Path, parcel: Parcel) -> bytes:
    """What is signed in the mail, as its recipient reads it."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    certificate = parcel.contact.x509()
    if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
        raise TypeError(f"{key_file} is not the key of an RSA certificate")
    return unseal(parcel.raw, key, certificate).inner


def main(folder: Path, campaign_id: str, mails: int) -> None:
    """Run one round."""
    keep_memory_small()
    configure_logging(logging.ERROR)
    json.dump(measure(home_in(folder), campaign_id, mails), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
