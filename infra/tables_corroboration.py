"""The tables of corroboration: what its rule looks at, kept apart from the reports themselves.

All of it follows from the reports and can be made anew from them; only the pass of
``intake.corroboration`` writes here.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from infra.tables import metadata

witness = Table(
    "witness",
    metadata,
    Column("report_seq", Integer, primary_key=True, autoincrement=False),
    Column("report_id", String(40), nullable=False),
    Column("origin", BigInteger, nullable=False),
    Column("creator", BigInteger),
    Column("text", BigInteger, nullable=False, index=True),
    Column("listing", BigInteger),
    Column("sketch", LargeBinary, nullable=False),
    Column("names", LargeBinary, nullable=False),  # these three: 64-bit numbers one after the other
    Column("stated", LargeBinary, nullable=False),
    Column("about", LargeBinary, nullable=False),
    Column("begin", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("retracted", Boolean, nullable=False),  # becomes true
    Column("awaits", Boolean, nullable=False),  # digit 4 that intake gave, and nobody bears it out
)


def _mentions(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("report_seq", Integer, primary_key=True, autoincrement=False),
        Column("origin", BigInteger, nullable=False),
        Column("text", BigInteger, nullable=False),
        Column("begin", Integer, nullable=False),
        Column("end", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


# A report stands in one of the two for each of its keys: voices are few of a key and read often.
voice = _mentions("voice")
quiet = _mentions("quiet")

borne_out = Table(
    "borne_out",
    metadata,
    Column("report_seq", Integer, primary_key=True, autoincrement=False),
    Column("by_seq", Integer, primary_key=True, autoincrement=False, index=True),
)

sweep = Table(
    "sweep",
    metadata,
    # Reports of other origins with this key wait to be looked at again, from ``after`` on.
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("origin", BigInteger, primary_key=True, autoincrement=False),
    Column("after", Integer, nullable=False),  # moves up
)

fallen = Table(
    "fallen_witness",
    metadata,
    # Was withdrawn; the grades that name it wait to be looked at again.
    Column("report_seq", Integer, primary_key=True, autoincrement=False),
    Column("silenced", Boolean, nullable=False),  # becomes true
)

progress = Table(
    "corroboration_progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("report_seq", Integer, nullable=False),  # moves up
    Column("turn", Integer, nullable=False),  # counts transactions, so that two processes never mix
)
