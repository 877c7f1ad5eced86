"""Documents made to harm: refused early, cheaply, and without reading or asking for anything else."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator

import pytest

from intake.formats.base import Parsed
from protocol.errors import RejectedReport
from tests.intake.formats.samples import DATA, iodef_xml, read

CPU_SECONDS = 0.1
MAIL = b"From: a@b.example\nTo: c@d.example\nSubject: x\n"


def _inside(declarations: str, reference: str) -> bytes:
    document = iodef_xml(f"<Description>{reference}</Description>").decode()
    return f"<!DOCTYPE IODEF-Document [{declarations}]>{document}".encode()


def _laughs() -> bytes:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return _inside(f'<!ENTITY a0 "ha">{lines}', "&a9;")


HOSTILE = {
    "billion laughs": _laughs(),
    "quadratic blowup": _inside(f'<!ENTITY a "{"x" * 100_000}">', "&a;" * 30_000),
    "external entity": _inside('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
    "entity of the network": _inside('<!ENTITY a SYSTEM "http://127.0.0.1:9/a">', "&a;"),
    "parameter entity": _inside('<!ENTITY % a SYSTEM "http://127.0.0.1:9/a"> %a;', "x"),
    "external type": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "public type": b'<!DOCTYPE a PUBLIC "-//A//B" "http://127.0.0.1:9/a.dtd"><a/>',
    "type after a comment": b"<?xml version='1.0'?><!-- a --><!DOCTYPE a><a/>",
    "type in UTF-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    **{path.name: path.read_bytes() for path in sorted((DATA / "malformed").glob("xml_*.xml"))},
    **{path.name: path.read_bytes() for path in (DATA / "malformed").glob("*laughs.xml")},
    **{path.name: path.read_bytes() for path in (DATA / "malformed").glob("*xxe*.xml")},
}


class Watch:
    """Notes every file that is opened and every connection that is tried, by Python's audit hook."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.on and event in {"open", "socket.connect", "socket.getaddrinfo", "os.system"}:
            self.seen.append(f"{event} {args[0]!r}")


WATCH = Watch()
sys.addaudithook(WATCH)


@pytest.fixture
def watched() -> Iterator[Watch]:
    WATCH.seen.clear()
    WATCH.on = True
    yield WATCH
    WATCH.on = False


def refusal(body: bytes) -> str:
    try:
        parsed: Parsed = read(body)
    except RejectedReport as refused:
        return refused.reason
    return f"stored as {parsed.format}"


@pytest.mark.parametrize("name", HOSTILE)
def test_xml_with_a_document_type_is_refused_at_once_without_touching_anything(
    name: str, watched: Watch
) -> None:
    started = time.process_time()
    reason = refusal(HOSTILE[name])
    spent = time.process_time() - started

    assert reason == "xml-dtd"
    assert spent < CPU_SECONDS
    assert watched.seen == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<a>" * 100_000, "too-deep"),
        (iodef_xml("<a/>" * 100_001), "too-many-elements"),
        (iodef_xml(f"<a b='{'x' * 10_001}'/>"), "attribute-too-long"),
        (iodef_xml("<a " + " ".join(f"a{n}=''" for n in range(101)) + "/>"), "too-many-attributes"),
        (iodef_xml("&undefined;"), "not-xml"),
        (iodef_xml("<a>"), "not-xml"),
        (iodef_xml() + b"<more/>", "not-xml"),
        (iodef_xml("<a>\x01</a>"), "not-xml"),
        (b"<?xml version='1.0' encoding='nowhere'?><a/>", "not-xml"),
    ],
)
def test_xml_beyond_the_limits_is_refused(body: bytes, reason: str) -> None:
    assert refusal(body) == reason


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/cron.d/evil", b"0" * 10_000_000)
    return buffer.getvalue()


def _tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("report.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "body",
    [gzip.compress(iodef_xml()), bz2.compress(b"0" * 10_000_000), lzma.compress(b"0" * 10_000_000),
     _zipped(), _tarred()],
    ids=["gzip", "bzip2", "xz", "zip", "tar"],
)  # fmt: skip
def test_an_archive_is_refused_with_a_hint_and_never_unpacked(body: bytes, watched: Watch) -> None:
    with pytest.raises(RejectedReport, match="unpack it and send") as refused:
        read(body)

    assert refused.value.reason == "archive"
    assert watched.seen == []


@pytest.mark.parametrize(
    "body",
    [
        MAIL + b"Content-Type: text/html\n\n" + b"<div>" * 300_000,
        MAIL + b"\n" + b"a.b " * 700_000,
        MAIL + b"a: b\n" * 190_000 + b"\nx",
        MAIL + b"Content-Type: message/delivery-status\n\n" + b"a: b\n\n" * 90_000,
        b"hello.world x\n" * 250_000,
        b"#\n" * 1_900_000 + b"domain\na.example\n",
        b"domain," * 500_000,
        iodef_xml("<EventData>" + "<System><Node><Address>192.0.2.1</Address></Node></System>" * 20_000
                  + "</EventData>"),
    ],
    ids=["html", "words", "headers", "status", "lines", "comments", "header", "systems"],
)  # fmt: skip
def test_a_large_hostile_text_is_read_or_refused_in_bounded_time(body: bytes) -> None:
    started = time.process_time()
    outcome = refusal(body)

    assert outcome
    assert time.process_time() - started < 5
