"""The authorities and revocation lists of a deployment, as they lie in folders and are kept current.

Source: reliability 5.2 (offline lists).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import structlog
from asn1crypto import crl, pem
from asn1crypto import x509 as asn1_x509

from infra.settings import SmimeSettings
from notifications.trust import PINNED, Trust

log = structlog.get_logger()

_Kind = TypeVar("_Kind", asn1_x509.Certificate, crl.CertificateList)


class TrustFolders:
    """The folders of the settings; read again when a file in them is another than before."""

    def __init__(self, settings: SmimeSettings) -> None:
        self._settings = settings
        self._seen: object = None
        self._trust = PINNED

    def current(self) -> Trust:
        """What is trusted now. A file that cannot be read is left out, and the log says so.

        That opens nothing: without its authority or its list a certificate is held.
        """
        if self._settings.trust_folder is None:
            return PINNED
        folders = (
            self._settings.trust_folder,
            self._settings.intermediate_folder,
            self._settings.crl_folder,
        )
        files = [_files(folder) for folder in folders]
        seen = [[(path, _stamp(path)) for path in each] for each in files]
        if seen != self._seen:
            anchors, intermediates, lists = files
            self._trust = Trust(
                anchors=tuple(_read(anchors, asn1_x509.Certificate)),
                intermediates=tuple(_read(intermediates, asn1_x509.Certificate)),
                lists=tuple(_read(lists, crl.CertificateList)),
            )
            self._seen = seen
        return self._trust


def _files(folder: Path | None) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file()) if folder else []
    except OSError as error:
        log.warning("trust_folder_unreadable", folder=str(folder), error=type(error).__name__)
        return []


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # gone meanwhile; reading it says so too
        return None
    return found.st_mtime_ns, found.st_size


def _read(files: Sequence[Path], kind: type[_Kind]) -> Iterator[_Kind]:
    for path in files:
        try:
            data = path.read_bytes()
            armoured = pem.detect(data)
            blocks = (
                [block for _, _, block in pem.unarmor(data, multiple=True)] if armoured else [data]
            )
            loaded = [kind.load(block, strict=True) for block in blocks]
            for each in loaded:
                _ = each.issuer.native  # it is parsed only when asked
        except (OSError, ValueError, TypeError) as error:
            log.warning("trust_file_unreadable", file=path.name, error=type(error).__name__)
        else:
            yield from loaded
