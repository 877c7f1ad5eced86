"""Templates of an operator's own that the tests of them share."""

from __future__ import annotations

from infra.database import Database
from notifications.template_book import confirm, propose
from notifications.template_names import OperatorTemplate, Part
from notifications.template_rows import Place
from notifications.template_trial import starter
from protocol.stages import NoticeKind

SECTIONS_FIRST_TEXT = """\
{{ top }}
----
OFFICE CENTRAL, permanence 24/7, pour {{ organisation }}
{% if reminder %}
{{ reminder }}
{% endif %}
{{ title | upper }}
{{ reference }} / {{ incident }} / {{ issuer }} / {{ issued }}
{{ acknowledgement }}
{{ variant_note }}
{{ bottom_line }}
{{ requests }}
{{ law_enforcement }}
{{ mitigation }}
{{ indicators }}
{{ header }}
{{ status }}
{{ facts }}
{{ assessment }}
{{ blueprint }}
{{ provenance }}
{{ changes }}
----
{{ bottom }}
"""
SECTIONS_FIRST_HTML = """\
{{ top }}
<div style="border-left:4px solid #1a3a6e;padding:0 1em">
<p style="color:#1a3a6e">OFFICE CENTRAL, permanence 24/7, pour <strong>{{ organisation }}</strong></p>
</div>
{% if reminder %}
{{ reminder }}
{% endif %}
<h1>{{ title }}</h1>
<p>{{ reference }}<br>{{ incident }}<br>{{ issuer }}<br>{{ issued }}</p>
{{ acknowledgement }}
{{ variant_note }}
{{ bottom_line }}{{ requests }}{{ law_enforcement }}{{ mitigation }}{{ indicators }}{{ header }}
{{ status }}{{ facts }}{{ assessment }}{{ blueprint }}{{ provenance }}{{ changes }}
{{ bottom }}
"""
SECTIONS_FIRST = OperatorTemplate(text=SECTIONS_FIRST_TEXT, html=SECTIONS_FIRST_HTML)
"""A warning in another order, with an operator's own head."""
STARTER = OperatorTemplate(text=starter(Part.TEXT), html=starter(Part.HTML))


def headed(words: str) -> OperatorTemplate:
    """One for every notice, with these words in it."""
    return OperatorTemplate(
        text=STARTER.text.replace("{{ details }}", f"{words}\n{{{{ details }}}}"),
        html=STARTER.html.replace("{{ details }}", f"<p>{words}</p>{{{{ details }}}}"),
    )


def install(
    database: Database,
    own: OperatorTemplate,
    *,
    organisation: str = "",
    kind: NoticeKind = NoticeKind.EWN,
    language: str = "en",
) -> int:
    """Put a template in force, by two officers of ``samples.directory_text``."""
    place = Place(organisation=organisation, kind=kind, language=language)
    number = propose(database, place, own, by="o.admin")
    confirm(database, number, by="o.one")
    return number
