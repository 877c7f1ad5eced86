"""Reads each file of a folder as intake does, in a process whose memory nothing else has stretched.

``python -m tests.faults.read_bombs FOLDER`` writes a line of JSON for each: the reason of the refusal
(empty when it was accepted), seconds of the processor, bytes by which memory grew at its peak, and
whether the file ``secret`` of the folder got into the outcome.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from infra.intake_limits import IntakeSettings
from intake.records import Accepted, RawRecord, Rejected, read_record
from protocol.parties import SourceGroup
from tests.faults.ground import forget_peak, memory

WARM_UP = b'<IODEF-Document xmlns="urn:ietf:params:xml:ns:iodef-2.0"><Incident/></IODEF-Document>'


def main(folder: Path) -> None:
    secret = (folder / "secret").read_text()
    for body in (WARM_UP, b"From: a@example.invalid\nSubject: x\nDate: x\n\nx", b"{}"):
        _read(body)
    for path in sorted(folder.glob("*.bomb")):
        body = path.read_bytes()
        before = memory(os.getpid())["VmRSS"]
        forget_peak(os.getpid())
        begun = time.process_time()
        outcome = _read(body)
        seconds = time.process_time() - begun
        grown = memory(os.getpid())["VmHWM"] - before
        reason = "" if isinstance(outcome, Accepted) else outcome.reason
        leaked = secret in repr(outcome)
        row = [path.stem, reason, seconds, grown, leaked]
        sys.stdout.write(json.dumps(row) + "\n")


def _read(body: bytes) -> Accepted | Rejected:
    return read_record(
        RawRecord(
            topic="leerp.intake.csirt.v1",
            partition=0,
            offset=0,
            group=SourceGroup.CSIRT,
            principal="anonymous",
            headers={},
            body=body,
            received_at=datetime.now(UTC),
        ),
        IntakeSettings(),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
