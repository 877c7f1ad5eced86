"""Indicators in what people write: lines of a list, or sentences of a mail.

Source: issue 5, "Formats" (text lists, mail). A word becomes an indicator only if it plainly is one,
since a wrong one would join incidents that have nothing to do with each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from intake.formats.vocabulary import TLP_LABELS
from intake.warning_lists import top_level_domains
from protocol.indicators import guess_type, host_of, normalise
from protocol.markings import Tlp
from protocol.report import IndicatorType

Found = tuple[IndicatorType, str]

_SCANNED = 500_000
_LONGEST = 2_000
_WORD = re.compile(r"[^\s<>\"'`{}|]+")
_FRONT = "([,;*-"
_BACK = ".,;:!?*"
_HASH_LENGTHS = {32, 40, 64}
_WALLET_LENGTH = 26
_DEFANGED = re.compile(r"\[\.|\(\.|\[dot|\(dot|^hxxp|^fxp|\[:|\[@|\[at", re.IGNORECASE)
_WITH_PORT = re.compile(r"(.{3,260}?):([0-9]{1,5})")
_FILE_ENDINGS = frozenset("""
    app asp aspx bat bin bz2 cfg cgi cmd cpl css csv dat db deb dll doc docm docx dylib elf eml
    exe gif gz hta htm html ico img inf ini iso jar jpeg jpg js json jsp key lnk log md mov mp3 mp4
    msg msi o ocx odt one ova p12 pdf pem pfx php pif pl png pps ppt pptm pptx ps1 psd py rar reg rs
    rtf scr sh so sql svg swf sys tar tmp torrent ttf txt vbe vbs vhd war wav wsf xls xlsb xlsm xlsx
    xml xps yaml yml zip
""".split())  # fmt: skip  # noqa: SIM905, read as a list
"""A name that ends so is taken for a file, unless it is written as a domain would be."""
_SPECIAL_USE = frozenset({"example", "test", "invalid", "onion", "bit", "i2p"})
_TLP = re.compile(r"\bTLP[: _-]{1,2}(CLEAR|WHITE|GREEN|AMBER(?:\+STRICT)?|RED)\b", re.IGNORECASE)


def kind_of_word(word: str) -> IndicatorType | None:
    """The kind of indicator that a word plainly is, None if it is none."""
    if len(word) > _LONGEST or not _may_be_one(word):
        return None
    kind = guess_type(word)
    if kind is IndicatorType.OTHER:
        return None
    if kind is IndicatorType.DOMAIN and not _DEFANGED.search(word):
        return kind if _is_domain(word) else None
    if kind is IndicatorType.URL and "://" not in word and not _DEFANGED.search(word):
        host = host_of(normalise(kind, word))
        return kind if host and _is_domain(host[1]) else None
    return kind


def _may_be_one(word: str) -> bool:
    return "." in word or ":" in word or len(word) in _HASH_LENGTHS or len(word) >= _WALLET_LENGTH


def _is_domain(name: str) -> bool:
    top = name.rstrip(".").rpartition(".")[2]
    if top.istitle():  # a sentence that begins without a space before it
        return False
    top = top.lower()
    if top in _FILE_ENDINGS:
        return False
    return top in _SPECIAL_USE or top.startswith("xn--") or top in top_level_domains()


def indicators_in(text: str) -> Iterator[Found]:
    """Every indicator that is named in a text, once, in its order; the first half million characters."""
    for word in dict.fromkeys(_WORD.findall(text[:_SCANNED])):
        yield from _of_word(word)


def _of_word(word: str) -> Iterator[Found]:
    plain = _stripped(word)
    kind = kind_of_word(plain)
    if kind is not None:
        yield kind, plain
        return
    match = _WITH_PORT.fullmatch(plain)
    if match and (kind := kind_of_word(match[1])) in {IndicatorType.IP, IndicatorType.DOMAIN}:
        yield kind, match[1]
        if int(match[2]) < 65_536:
            yield IndicatorType.PORT, match[2]
    elif "," in plain or ";" in plain:
        for piece in re.split("[,;]", plain):
            if (kind := kind_of_word(_stripped(piece))) is not None:
                yield kind, _stripped(piece)


def _stripped(word: str) -> str:
    """Without the punctuation of the sentence around it."""
    plain = word.lstrip(_FRONT).rstrip(_BACK)
    for opened, closed in ("()", "[]"):
        if plain.endswith(closed) and plain.count(closed) > plain.count(opened):
            plain = plain[:-1].rstrip(_BACK)
    return plain


def was_cut(text: str) -> bool:
    """Whether a text is longer than what is searched."""
    return len(text) > _SCANNED


def stated_tlp(text: str) -> set[Tlp]:
    """The TLP labels that a text states, of both versions."""
    return {TLP_LABELS[label.lower()] for label in _TLP.findall(text[:_SCANNED])}
