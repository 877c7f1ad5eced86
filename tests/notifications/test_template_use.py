"""Who gets a mail in which template: by organisation and language, as it was when it was frozen."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import update

from infra import audit
from infra.database import Database
from infra.settings import DeliverySettings, Settings, SmtpSettings
from infra.tables_templates import notice_template
from notifications.campaigns import FreezeOrder, freeze
from notifications.claiming import claim
from notifications.delivery import Delivery
from notifications.directory import Recipient
from notifications.notices import DrillNotice
from notifications.outbox import Range
from notifications.parcels import Packer, Parcel, recheck_locks
from notifications.smime import unseal
from notifications.template_book import confirm, remove
from notifications.template_use import unfit_templates
from notifications.trust_folders import TrustFolders
from protocol.stages import NoticeKind
from tests.notifications.hostile import Sink, listening
from tests.notifications.mailroom import Clock, identity, signer
from tests.notifications.own_templates import headed, install
from tests.notifications.samples import NOW, contact, make_database, recipient

CAMPAIGN = "drill-1.drill.1"
DRILL = NoticeKind.DRILL
LANGUAGES = {"a-fr": "fr", "a2-en": "en", "b-fr": "fr", "b2-fr": "fr", "c-de": "de"}
CONTENT = DrillNotice(
    incident_id="drill-1",
    exercise=True,
    issued_at=NOW,
    reason="Quarterly test call.",
    answer_by=NOW + timedelta(minutes=30),
)
HEAD = headed("OFFICE CENTRAL, pour {{ organisation }}")
SETTINGS = Settings(
    console_url="https://leerp.invalid",
    smtp=SmtpSettings(host="127.0.0.1", port=25, connections=2),
    delivery=DeliverySettings(lease=timedelta(minutes=5)),
)


def reader(name: str, language: str) -> Recipient:
    desk = contact(0, key=identity("poc").certificate_pem()).model_copy(
        update={"email": f"{name}@example.invalid", "languages": (language, "en")}
    )
    return recipient(id=name, organisation=f"Police {name}", contacts=(desk,))


@pytest.fixture
def home(tmp_path: Path) -> Database:
    return make_database(tmp_path, [reader(*each) for each in LANGUAGES.items()])


def frozen(home: Database, name: str = CAMPAIGN) -> None:
    order = FreezeOrder(
        campaign_id=name, revision=1, content=CONTENT, recipients=tuple(LANGUAGES), by="o.two"
    )
    with home.write() as connection:
        assert freeze(connection, order, message_key=bytes(32), now=NOW).queued == len(LANGUAGES)


def packed(home: Database, name: str = CAMPAIGN) -> dict[str, Parcel]:
    with home.write() as connection:
        packer = Packer.load(
            connection,
            name,
            settings=SETTINGS,
            signer=signer(),
            trust=TrustFolders(SETTINGS.smime),
            ack_key=b"k" * 32,
            recheck=recheck_locks,
        )
        claims = claim(
            connection,
            Range(campaign_id=name, start=0, end=len(LANGUAGES)),
            limit=len(LANGUAGES),
            now=NOW,
            lease=timedelta(minutes=5),
            resend_unknown=True,
        )
        parcels, poison = packer.pack(connection, claims, NOW)
    assert poison == []
    return {parcel.recipient.id: parcel for parcel in parcels}


def text_of(raw: bytes) -> str:
    poc = identity("poc")
    inside = message_from_bytes(unseal(raw, poc.key, poc.certificate).inner, policy=policy.default)
    body = inside.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def with_head(home: Database, words: str, name: str = CAMPAIGN) -> set[str]:
    return {who for who, p in packed(home, name).items() if words in text_of(p.raw)}


@pytest.mark.requirement("R31")
def test_an_organisation_that_reads_french_gets_its_own_french_template_and_nobody_else(
    home: Database,
) -> None:
    for name in ("a-fr", "a2-en"):
        install(home, HEAD, organisation=name, kind=DRILL, language="fr")
    frozen(home)
    mails = {name: text_of(parcel.raw) for name, parcel in packed(home).items()}
    assert {name for name, text in mails.items() if "OFFICE CENTRAL" in text} == {"a-fr"}
    assert "pour Police a-fr" in mails["a-fr"]
    assert "https://leerp.invalid/a/" in mails["a-fr"]
    assert mails.keys() == LANGUAGES.keys()


def test_who_has_none_of_its_own_gets_the_one_for_all_in_its_language(home: Database) -> None:
    install(home, headed("Pour tous"), kind=DRILL, language="fr")
    install(home, headed("Pour A"), organisation="a-fr", kind=DRILL, language="fr")
    install(home, headed("Sonderblatt"), language="de", kind=NoticeKind.INITIAL)
    frozen(home)
    texts = {name: text_of(parcel.raw) for name, parcel in packed(home).items()}
    assert {name for name, text in texts.items() if "Pour tous" in text} == {"b-fr", "b2-fr"}
    assert {name for name, text in texts.items() if "Pour A" in text} == {"a-fr"}
    assert "Sonderblatt" not in texts["c-de"]


def test_a_campaign_keeps_the_templates_that_it_was_frozen_with(home: Database) -> None:
    frozen(home, "drill-1.drill.0")
    first = install(home, headed("Version une"), kind=DRILL, language="fr")
    frozen(home, "drill-1.drill.1")
    install(home, headed("Version deux"), kind=DRILL, language="fr")
    frozen(home, "drill-1.drill.2")
    removal = remove(home, first + 1, by="o.admin")
    assert removal is not None
    confirm(home, removal, by="o.one")
    frozen(home, "drill-1.drill.3")
    french = {"a-fr", "b-fr", "b2-fr"}
    found = {n: with_head(home, "Version une", f"drill-1.drill.{n}") for n in (0, 1)}
    assert found == {0: set(), 1: french}
    assert with_head(home, "Version deux", "drill-1.drill.2") == french
    assert with_head(home, "Version", "drill-1.drill.3") == set()
    with home.read() as connection:
        rows = [row for row in audit.export(connection) if row["event"] == "campaign_frozen"]
    assert [row["detail"].get("templates") for row in rows] == [None, 1, 2, 3]


@pytest.mark.asyncio
@pytest.mark.requirement("R33")
@pytest.mark.parametrize("broken", ["{{ top }}\n{{ ''.__class__ }}", "{{ top }}\n{{ bottom }}"])
async def test_a_template_that_fails_loses_no_warning_and_is_shown_once_as_trouble(
    home: Database, broken: str
) -> None:
    number = install(home, HEAD, kind=DRILL, language="fr")
    with home.write() as connection:  # as if the software had changed under it
        connection.execute(update(notice_template).values(text=broken))
    frozen(home)
    sink = Sink()
    async with listening(sink) as port:
        smtp = SETTINGS.smtp.model_copy(update={"port": port})
        delivery = Delivery(
            home,
            SETTINGS.model_copy(update={"smtp": smtp}),
            signer=signer(),
            ack_key=bytes(32),
            clock=Clock(),
        )
        result = await delivery.send_range(CAMPAIGN, 0, len(LANGUAGES), heartbeat=lambda: None)
    assert result.accepted == len(LANGUAGES)
    texts = [text_of(raw) for _, raw in sink.mails]
    assert len(texts) == len(LANGUAGES)
    assert sum("APPEL D'ESSAI" in text for text in texts) == 3
    assert not any("OFFICE CENTRAL" in text for text in texts)
    with home.read() as connection:
        (shown,) = unfit_templates(connection, CAMPAIGN)
        rows = [row for row in audit.export(connection) if row["event"] == "template_unfit"]
    assert shown["template"] == number
    assert "txt" in shown["reason"]
    assert "leerp templates" in shown["what_to_do"]
    assert [(row["subject"], row["detail"]["template"]) for row in rows] == [(CAMPAIGN, number)]
