"""Tables of what comes after the mails: answers, nudges, calls, and how each recipient was settled.

Rows are only ever added, but for the state of a nudge and the approval of a withdrawal.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from infra.tables import Utc, metadata

answer = Table(
    "answer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("campaign_id", String(80), nullable=False),
    Column("recipient_id", String(60), nullable=False),
    Column("notification_id", String(32), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("proof", String(20), nullable=False),  # mail-link, signed-reply
    Column("answer", String(20), nullable=False),  # received, acting, need-help, wrong-addressee
    Column("person", Text, nullable=False, default=""),  # whom to ask; personal data
    Column("phone", Text, nullable=False, default=""),
    Column("at", Utc, nullable=False),
    Column("followed", Boolean, nullable=False),  # turns true when the duty manager was told
    Index("ix_answer_recipient", "campaign_id", "recipient_id"),
    sqlite_autoincrement=True,
)

settlement = Table(
    "settlement",  # what a person made of a recipient that sent no word
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("recipient_id", String(60), primary_key=True),
    Column("proof", String(20), nullable=False),  # phone, officer
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)

nudge = Table(
    "nudge",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("recipient_id", String(60), primary_key=True),
    Column("contact", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),  # of the address among the contact's
    Column("rung", Integer, primary_key=True),
    Column("service", String(40), nullable=False),  # the kind of address, never the address
    Column("begun_at", Utc, nullable=False),
    Column("state", String(10), nullable=False),  # unknown, then sent or failed
)

call = Table(
    "call",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("campaign_id", String(80), nullable=False),
    Column("recipient_id", String(60), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("result", String(20), nullable=False),  # reached, no-answer, wrong-number, refused
    Column("note", Text, nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_call_recipient", "campaign_id", "recipient_id"),
    sqlite_autoincrement=True,
)

call_due = Table(
    "call_due",  # who came onto the call list, and when
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("recipient_id", String(60), primary_key=True),
    Column("at", Utc, nullable=False),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String(100), nullable=False),
    Column("proposed_at", Utc, nullable=False),
    # Set once, when the second person agrees.
    Column("approved_by", String(100)),
    Column("approved_at", Utc),
)

campaign_end = Table(
    "campaign_end",  # how it stood when its ladder was climbed, or there was no need for it
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("unsettled", JSON, nullable=False),  # ids of recipients
)

signed_reply = Table(
    "signed_reply",  # each signed entity counts for one mail of ours, however often it comes
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("notification_id", String(32), nullable=False),
    Column("at", Utc, nullable=False),
)
