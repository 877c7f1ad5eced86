"""Mails: what they carry is read in its own format; else the text is the report.

Source: issue 5, "Formats" (RFC 5322 with X-ARF or other attachments).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from intake.formats.base import UNDATED, Adapter
from intake.formats.draft import LINE, Draft
from intake.formats.mail_fields import FieldReport
from intake.formats.prose import indicators_in, stated_tlp, was_cut
from intake.formats.times import Moment
from intake.mails import MailDocument
from intake.texts import TextDocument
from protocol.errors import RejectedReport
from protocol.markings import Marking, Tlp
from protocol.report import IndicatorType, ReportContent, Reporter, TimeKind, TimeWindow

_UNKNOWN = "unknown"


class Mail:
    """The adapter for mails; ``adapters`` read what is attached."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = dict(adapters)

    def recognises(self, document: Any) -> bool:
        """Whether it was taken apart as a mail."""
        return isinstance(document, MailDocument)

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate what is attached, else the text; see ``Adapter.read``.

        Raises:
            RejectedReport: ``no-reports`` if there is neither, or what the format of an attachment
                refuses.
        """
        mail: MailDocument = document
        notes = [
            f"part {number} of the mail is not read and stays in the original record: {why.reason}"
            for number, why in mail.refused
        ]
        notes += [
            f"a part of type {media_type[:60]} stays in the original record only"
            for media_type in mail.unread
        ]
        contents: list[ReportContent] = []
        told: list[FieldReport] = []
        for number, attached in mail.documents:
            adapter = next((a for a in self._adapters.values() if a.recognises(attached)), None)
            if adapter is None and (fields := _fields_of(attached)):
                told.append(fields)
                continue
            if adapter is None:
                notes.append(f"part {number} of the mail is in no format known here")
                continue
            contents += self._attached(number, attached, adapter, mail)
        if not contents:
            return (_own_text(mail, notes, told),)
        first = contents[0]
        warnings = tuple(dict.fromkeys([*first.warnings, *(note[:LINE] for note in notes)]))
        return (first.model_copy(update={"warnings": warnings}), *contents[1:])

    @staticmethod
    def _attached(
        number: int, attached: Any, adapter: Adapter, mail: MailDocument
    ) -> list[ReportContent]:
        try:
            found = adapter.read(attached)
        except RejectedReport as refused:
            raise RejectedReport(refused.reason, f"part {number} of the mail: {refused}") from None
        return [_completed(content, number, mail) for content in found]


def _completed(content: ReportContent, number: int, mail: MailDocument) -> ReportContent:
    """What the attachment does not say of its sender, time and marking, the mail says."""
    draft = Draft()
    written = _written(mail, draft)
    tlp = stated_tlp(mail.subject)
    changes: dict[str, Any] = {
        "warnings": (*content.warnings, f"came as part {number} of a mail"),
        "times": tuple(written if time == UNDATED else time for time in content.times),
        "marking": content.marking.with_tlp({content.marking.tlp, *tlp} if tlp else ()),
    }
    if content.reporter.name == _UNKNOWN:
        changes["reporter"] = _sender(mail, draft)
    return content.model_copy(update=changes)


def _fields_of(attached: Any) -> FieldReport | None:
    return FieldReport.of(attached.text) if isinstance(attached, TextDocument) else None


def _own_text(mail: MailDocument, notes: list[str], told: list[FieldReport]) -> ReportContent:
    draft = Draft()
    if inline := FieldReport.of(mail.text):  # a part without a name is taken for text
        told = [*told, inline]
    text = mail.text or mail.forwarded
    if not text and not told:
        if mail.refused:
            number, why = mail.refused[0]
            raise RejectedReport(why.reason, f"part {number} of the mail: {why}")
        raise RejectedReport(
            "no-reports", "the mail holds neither text nor a report that can be read"
        )
    for note in notes:
        draft.warn(draft.line(note, "a note"))
    for fields in told:
        fields.read(draft)
    draft.times.append(_written(mail, draft))
    _named_in(text, mail, draft)
    tlp = stated_tlp(mail.subject) | stated_tlp(text)
    for message_id in mail.in_reply_to:
        draft.relation("related", message_id)
    return draft.content(
        source_id=_id(mail),
        title=draft.title([(mail.subject, "Subject")], "Mail without a subject"),
        description=draft.prose(text, "the text"),
        reporter=_sender(mail, draft),
        rsit=next((fields.rsit for fields in told if fields.rsit), ""),
        marking=Marking(tlp=max(tlp, key=list(Tlp).index)) if tlp else Marking(),
    )


def _named_in(text: str, mail: MailDocument, draft: Draft) -> None:
    own = mail.correspondents | {address.rpartition("@")[2] for address in mail.correspondents}
    for kind, value in indicators_in(text):
        private = kind in {IndicatorType.EMAIL, IndicatorType.DOMAIN} and value.lower() in own
        if not private:  # else all mails of one sender would belong together
            draft.indicator(kind, value, role="named in the mail")
    if was_cut(text):
        draft.warn("the text is long; indicators are looked for in its beginning only")


def _written(mail: MailDocument, draft: Draft) -> TimeWindow:
    moment = Moment.from_mail(mail.date) if mail.date else None
    if moment is None:
        draft.warn("the mail has no Date that can be read; the time of its arrival counts")
        return UNDATED
    return TimeWindow(
        kind=TimeKind.REPORTED,
        earliest=moment.earliest,
        latest=moment.latest,
        tz_known=moment.tz_known,
    )


def _sender(mail: MailDocument, draft: Draft) -> Reporter:
    return Reporter(
        name=draft.reporter_name(mail.sender_name, mail.sender),
        contact=draft.line(mail.sender, "From"),
    )


def _id(mail: MailDocument) -> str:
    if mail.message_id:
        return mail.message_id
    return f"mail-{hashlib.sha256(mail.body).hexdigest()[:32]}"
