"""Why a report is in its incident, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def link_words(link: Mapping[str, Any]) -> str:
    """One entry of ``intake.correlation.explain`` in one line."""
    reason: Mapping[str, Any] = link["reason"]
    incident = link["incident_id"]
    shared = ", ".join(reason["shared"])
    if merged := reason.get("merged"):
        said = f"came to {incident} with all of {merged}"
    elif reason["opens"]:
        said = f"opened {incident}, as nothing in it was known before"
    else:
        said = f"joined {incident}"
    if shared:
        said += f", sharing {shared}"
    if through := reason.get("through"):
        said += f", through report {through}"
    if ended := reason.get("continues"):
        said += f", going on from {ended}, which had ended"
    return f"{link['at']:%Y-%m-%d %H:%M} UTC: {said} ({link['by']})"
