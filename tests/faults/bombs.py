"""Documents that unpack to far more than they are, or reach for what is not theirs: F-K4, F-K5."""

from __future__ import annotations

import base64
import gzip
import io
import stat
import struct
import zipfile
import zlib

IODEF = 'xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00" lang="en"'
MEGABYTE = 1_000_000


def xml_bombs(secret: str, port: int) -> dict[str, bytes]:
    """By name; ``secret`` is a file and ``port`` a server on loopback that nothing may reach."""
    there = f"http://127.0.0.1:{port}/evil"
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    long_text = "A" * 50_000
    bombs = {
        "billion laughs": f"<!DOCTYPE x [{laughs}]>{_document('&l9;')}",
        "quadratic blowup": f'<!DOCTYPE x [<!ENTITY a "{long_text}">]>{_document("&a;" * 20_000)}',
        "entity of a file": f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{secret}">]>{_document("&a;")}',
        "entity of a server": f'<!DOCTYPE x [<!ENTITY a SYSTEM "{there}">]>{_document("&a;")}',
        "DTD of a server": f'<!DOCTYPE x SYSTEM "{there}.dtd">{_document("x")}',
        "DTD of a file": f'<!DOCTYPE x SYSTEM "file://{secret}">{_document("x")}',
        "parameter entity": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{there}"> %p;]>{_document("x")}',
        "XInclude of a file": _document(
            f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text"'
            f' href="file://{secret}"/>'
        ),
        "XInclude of a server": _document(
            f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{there}"/>'
        ),
        "schema and style of a server": f'<?xml-stylesheet href="{there}"?>'
        + _document("x").replace(
            IODEF,
            f'{IODEF} xmlns:s="http://www.w3.org/2001/XMLSchema-instance"'
            f' s:schemaLocation="urn:x {there}"',
        ),
        "depth": "<a>" * 100_000,
    }
    found = {name: text.encode() for name, text in bombs.items()}
    found["billion laughs in UTF-16"] = bombs["billion laughs"].encode("utf-16")
    found["gzip of XML"] = gzip.compress(_document("A" * 100 * MEGABYTE).encode())
    found["text of 3.9 MB"] = _document("A" * 3_900_000).encode()
    return found


def archives() -> dict[str, bytes]:
    """By name; none of them may be opened."""
    bomb = _zip({"zeros": b"\0" * 50 * MEGABYTE})
    nested = bomb
    for level in range(5):
        nested = _zip({f"{level}-{n}.zip": nested for n in range(4)})
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return {
        "zip bomb": bomb,
        "nested zip bomb": nested,
        "overlapping entries": _overlapping(MEGABYTE * 10, 1_000),
        "zip slip": _zip({"../leerp-slipped": b"x", "/leerp-slipped": b"x"}),
        "symbolic link": _zip({link: b"/etc/passwd"}),
        "gzip bomb": gzip.compress(b"\0" * 50 * MEGABYTE),
    }


def in_a_mail(archive: bytes) -> bytes:
    """A mail with nothing to read in it but the archive."""
    encoded = base64.encodebytes(archive).decode()
    return (
        "From: partner@example.invalid\r\nTo: leerp@example.invalid\r\nSubject: see attachment\r\n"
        "Date: Sun, 01 Nov 2026 08:00:00 +0000\r\nMessage-ID: <a@example.invalid>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: application/zip; name="report.zip"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n" + encoded
    ).encode()


def _document(content: str) -> str:
    return f"<IODEF-Document {IODEF}><Incident>{content}</Incident></IODEF-Document>"


def _zip(files: dict[str, bytes] | dict[zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _overlapping(size: int, entries: int) -> bytes:
    """One kernel of zeros that every entry of the directory points to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(b"\0" * size) + packer.flush()
    name = b"zeros"
    numbers = (zlib.crc32(b"\0" * size), len(kernel), size, len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, *numbers) + name + kernel
    entry = (
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *numbers, 0, 0, 0, 0, 0)
        + name
    )
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, len(entry) * entries, len(local), 0
    )
    return local + entry * entries + end
