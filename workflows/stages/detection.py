"""Stage I: early detection and identification.

The record of the suspected attack is opened with the presumption of crime (R7, R8).
"""

from __future__ import annotations

from protocol.stages import Stage
from workflows.desk import Desk


async def detect(desk: Desk) -> None:
    """Open the record: the first assessment carries the test of R7 and the presumption of R8."""
    await desk.enter(Stage.DETECTION)
    await desk.until(lambda: desk.assessment is not None)
