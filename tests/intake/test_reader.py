"""What a process that reads does with one order."""

from __future__ import annotations

import gc

from intake.preparing import Preparer
from intake.reader import answered, decode_answer, encode_order
from intake.standing import Standings
from tests.intake.formats.samples import DATA
from tests.intake.samples import LIMITS, profile, record, telling

FEW = 30
"""Objects; a report in this format leaves hundreds that refer to each other."""


def test_nothing_of_an_order_stays_behind_for_the_collector() -> None:
    preparer = Preparer(profile(), telling, LIMITS)
    body = (DATA / "iodef1_xml" / "iodeflib_example.xml").read_bytes()
    order = encode_order([record(body)], Standings())
    assert decode_answer(answered(order, preparer)).readies[0].reports
    gc.collect()
    gc.disable()
    try:
        answered(order, preparer)
        assert gc.collect() < FEW
    finally:
        gc.enable()
