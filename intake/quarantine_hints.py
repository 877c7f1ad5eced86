"""What to do about each reason for which a record comes into quarantine.

The same sentences stand in docs/sending-reports.md, for those who send.
"""

from __future__ import annotations

_LIMIT = "split what you send into smaller records, or raise the limit LEERP_INTAKE__* if all should pass"
_SYNTAX = "mend it with the program that wrote it, and send it again"

HINTS = {
    "archive": "unpack it, and send each file in it as a record of its own",
    "attachment-too-large": "send the report without its large attachment, and say where that lies",
    "attribute-too-long": _LIMIT,
    "bad-csv": _SYNTAX,
    "bad-header": "leerp-detected-by is 'primary' or 'secondary', and names of headers are UTF-8",
    "bad-id": "give the report one id of at most 200 characters, and keep it for its later versions",
    "bad-indicator": "correct the value, or give the indicator the type 'other'",
    "bad-structure": "compare it with the format's own specification; the message names the place",
    "bad-text": "send UTF-8, or name the charset in the content-type of a text list",
    "bad-time": "write times as 2017-05-12T07:44:00Z",
    "cell-too-long": _LIMIT,
    "duplicate-key": "name each field of an object once",
    "empty": "nothing was in it: look at what made the record",
    "format-mismatch": "declare the format that it is in, or leave the declaration out",
    "intelmq-report": "send the events that IntelMQ makes of its reports, not the reports",
    "invalid-field": "correct the field that the message names; 'leerp schema' prints what is allowed",
    "misp-feed-index": "send the event files of the feed, as 'leerp bridge misp-feed' does",
    "missing-field": "add the field that the message names; 'leerp schema' prints what must be there",
    "misp-event-index": "send the events themselves, as MISP exports them, not the list of them",
    "no-detection-source": "group osint must say how it was found: header leerp-detected-by, or"
    " 'leerp report --detected-by'",
    "no-id": "give the report an id, and keep it for its later versions",
    "no-indicators": "a list must hold at least one indicator in a form that is known",
    "no-reports": "the document holds no report: look at what made it",
    "no-time": "say when it happened or was seen, with the uncertainty that there is",
    "not-finite": "leave NaN and infinite numbers out",
    "not-json": _SYNTAX,
    "not-xml": _SYNTAX,
    "number-too-large": "write numbers beyond 64 bits as texts",
    "stix-1": "convert it to STIX 2.1, for example with stix2-elevator, and send the result",
    "test-lane": "it says that it is a test: send tests to an exercise",
    "too-complex": _LIMIT,
    "too-costly": "divide the record into smaller ones and send them",
    "too-deep": _LIMIT,
    "too-large": _LIMIT,
    "too-many-attributes": _LIMIT,
    "too-many-columns": _LIMIT,
    "too-many-elements": _LIMIT,
    "too-many-indicators": "split the list: each report takes so many indicators only",
    "too-many-lines": _LIMIT,
    "too-many-parts": _LIMIT,
    "too-many-reports": "split the document: each record takes so many reports only",
    "too-many-rows": _LIMIT,
    "unknown-field": "leave the field out; 'leerp schema' prints what is allowed",
    "unknown-format": "convert it to one of the formats that the message names, or declare the format",
    "unprocessable": "this is a defect of leerp: report it, and replay the record once it is mended",
    "xml-dtd": "send the XML without a DTD and without entities of its own",
}
"""What to do, by reason."""


def hint(reason: str) -> str:
    """What to do about a record with this reason; the message's own words where nothing is to add."""
    return HINTS.get(reason, "do as the message says, and send it again")
