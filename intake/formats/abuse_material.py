"""Reports of child sexual abuse: what they point to is kept, the material itself never.

Evidence in such a report may be the material. It is taken out before the record is stored anywhere,
also where the record is refused. Source: domain 6.8 (special handling).
"""

from __future__ import annotations

import json
from typing import Any

from intake.formats.draft import items
from intake.mails import MailDocument

HANDLING = (
    "child sexual abuse: locations only to those who act on them;"
    " the material is not to be fetched, stored or forwarded"
)
WITHHELD = "the evidence of this report is not kept, since it may be abuse material"

_TYPES = {"csam", "csem", "ncii", "childabuse", "childpornography", "childsexualabuse", "csa"}
_CARRIERS = {"evidence", "samples", "attachment", "attachments", "screenshots"}
_CLAIMS_LENGTH = 100


def is_abuse(document: Any) -> bool:
    """Whether an X-ARF report, of any version, says that it is about such material."""
    if not isinstance(document, dict):
        return False
    report = document.get("Report")
    stated = [document.get("type"), document.get("category")]
    if isinstance(report, dict):
        stated += [report.get(name) for name in ("ReportType", "ReportSubType", "ReportClass")]
    return any(
        "".join(filter(str.isalnum, each[:_CLAIMS_LENGTH].lower())) in _TYPES
        for each in stated
        if isinstance(each, str)
    )


def without_material(document: Any) -> bytes | None:
    """What to keep of a record in place of itself; None where it may be kept as it came."""
    if isinstance(document, MailDocument):
        attached = [each for _, whole in document.documents for each in items(whole)]
        if not any(is_abuse(each) for each in attached):
            return None
        document = [each for each in attached if is_abuse(each)]
    elif not any(is_abuse(each) for each in items(document)):
        return None
    kept = [_stripped(each) if is_abuse(each) else each for each in items(document)]
    whole = kept if isinstance(document, list) else kept[0]
    return json.dumps(whole, ensure_ascii=False).encode()


def _stripped(node: Any) -> Any:
    """A copy without what carries evidence, at any depth."""
    if isinstance(node, dict):
        return {
            name: _stripped(value) for name, value in node.items() if name.lower() not in _CARRIERS
        }
    return [_stripped(each) for each in node] if isinstance(node, list) else node
