"""What is wrong with the rules of a broker is found, whoever made them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import kafka
from infra.kafka_review import Principal, review_broker, review_principals
from infra.kafka_rules import Acl, own_rights, partner_rights
from infra.settings import KafkaSettings
from protocol.parties import SourceGroup

SETTINGS = KafkaSettings(username="leerp", security="SASL_SSL", bootstrap="kafka.example:9093")
OWN = own_rights(SETTINGS)
CERT = partner_rights("cert-a", SourceGroup.CSIRT)


def of(name: str, *acls: Acl) -> Principal:
    found = review_principals(SETTINGS, acls)
    return next(principal for principal in found if principal.name == f"User:{name}")


def rule(name: str, operation: str = "WRITE", **other: object) -> Acl:
    fields = {"principal": "User:cert-a", "resource": "TOPIC", "name": name}
    return Acl(**{**fields, "operation": operation, **other})  # type: ignore[arg-type]


def test_rights_as_they_are_granted_have_no_fault() -> None:
    found = review_principals(SETTINGS, [*OWN, *CERT])

    assert [principal.name for principal in found] == ["User:cert-a", "User:leerp"]
    assert not [p for p in found if p.faults or p.missing]
    assert found[0].rights == (
        "DESCRIBE TOPIC leerp.intake.csirt.v1.cert-a",
        "WRITE TOPIC leerp.intake.csirt.v1.cert-a",
    )


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (rule(kafka.topic_of(SourceGroup.CSIRT, "cert-b")), "write elsewhere"),
        (rule(kafka.topic_of(SourceGroup.CSIRT)), "write elsewhere"),
        (rule("leerp.intake.", prefixed=True), "write elsewhere"),
        (rule(kafka.topic_of(SourceGroup.CSIRT, "cert-a"), prefixed=True), "write elsewhere"),
        (rule("leerp.other", "ALL"), "write elsewhere"),
        (rule("*"), "wildcard"),
        (rule("*", "READ", resource="GROUP"), "wildcard"),
        (rule("leerp-intake", "READ", resource="GROUP"), "more than to write"),
        (rule(kafka.topic_of(SourceGroup.CSIRT, "cert-a"), "READ"), "more than to write"),
        (rule("kafka-cluster", "ALTER", resource="CLUSTER"), "more than to write"),
    ],
)
def test_whatever_a_partner_may_do_besides_is_named(planted: Acl, words: str) -> None:
    (fault,) = of("cert-a", *CERT, planted).faults
    assert words in fault
    assert planted.words in fault


def test_a_rule_for_everybody_is_a_wildcard() -> None:
    everybody = rule(kafka.topic_of(SourceGroup.CSIRT), principal="User:*")
    (fault,) = of("*", everybody).faults
    assert "is a wildcard" in fault


@given(st.sampled_from(OWN))
def test_each_right_of_ours_that_is_missing_is_named(lost: Acl) -> None:
    ours = of("leerp", *(acl for acl in OWN if acl != lost))
    implied = lost.operation == "DESCRIBE"  # by the right to read
    assert ours.missing == (() if implied else (lost.words,))


def test_who_works_without_any_rule_is_named_as_unbound() -> None:
    ours = of("leerp", *CERT)
    assert ours.missing == ()
    assert "a super user, or allow.everyone.if.no.acl.found" in ours.faults[0]


def test_wider_rights_of_the_administrators_making_are_enough() -> None:
    wide = [
        Acl(
            principal="User:leerp", resource="TOPIC", name="leerp.", prefixed=True, operation="ALL"
        ),
        Acl(principal="User:leerp", resource="GROUP", name="*", operation="ALL"),
    ]
    ours = of("leerp", *wide)
    assert ours.missing == ()
    assert [("pass for a partner" in f, "wildcard" in f) for f in ours.faults] == [
        (True, False),
        (False, True),
    ]


def test_a_denial_to_us_is_a_fault_and_one_to_a_partner_is_not() -> None:
    denied = Acl(
        principal="User:leerp", resource="TOPIC", name="x", operation="READ", permission="DENY"
    )
    assert "keep us from working" in of("leerp", *OWN, denied).faults[0]
    assert of("cert-a", *CERT, rule("x", permission="DENY")).faults == ()


GOOD = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "listener.security.protocol.map": "IN:SASL_PLAINTEXT,OUT:SASL_SSL,BARE:PLAINTEXT",
    "listeners": "IN://127.0.0.1:9092,OUT://0.0.0.0:9093,IN://[::1]:9094,BARE://localhost:1",
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"authorizer.class.name": ""}, "everybody may do everything"),
        ({"listeners": "BARE://0.0.0.0:9092"}, "BARE at 0.0.0.0:9092 takes PLAINTEXT"),
        ({"listeners": "IN://:9092"}, "IN at :9092 takes SASL_PLAINTEXT"),
        ({"listeners": "PLAINTEXT://kafka.example:1"}, "takes PLAINTEXT, without encryption"),
    ],
)
def test_what_lets_somebody_in_past_the_rules_is_named(changed: dict[str, str], words: str) -> None:
    assert review_broker(GOOD) == []
    (fault,) = review_broker({**GOOD, **changed})
    assert words in fault
