"""The key that a producer gives a record, which keeps versions of one report in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.kafka import topic_of
from infra.settings import KafkaSettings
from intake.producer import ReportProducer
from protocol.parties import SourceGroup
from protocol.report import ReportContent
from tests.intake.samples import body_of, content

TOPIC = topic_of(SourceGroup.CSIRT)
NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=20)


@given(name=NAMES, bodies=st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_the_key_depends_on_the_source_id_alone(name: str, bodies: list[str]) -> None:
    producer = ReportProducer(KafkaSettings(), TOPIC)
    reports: list[ReportContent] = [
        content(name, description="".join(ch for ch in text if ch.isprintable())) for text in bodies
    ]
    keys = {producer.key_of(body_of(each)) for each in reports}
    assert keys == {name.encode()}


def test_a_document_of_many_reports_has_no_key() -> None:
    two = b"[" + body_of(content("a")) + b"," + body_of(content("b")) + b"]"
    assert ReportProducer(KafkaSettings(), TOPIC).key_of(two) is None
