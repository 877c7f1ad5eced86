"""The JSON Schemas that the project publishes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from leerp.evidence_file import EvidenceFile
from leerp.scenario_files import Scenario
from notifications.ewn import EarlyWarning
from notifications.ewn_draft import EwnInput
from protocol.profile import Profile
from protocol.report import IncidentReport, ReportContent
from workflows.inputs import CentreInput
from workflows.plans import Plan

SCHEMAS: dict[str, type[BaseModel]] = {
    "leerp-report": ReportContent,
    "incident-report": IncidentReport,
    "evidence": EvidenceFile,
    "scenario": Scenario,
    "profile": Profile,
    "centre": CentreInput,
    "ewn-input": EwnInput,
    "ewn": EarlyWarning,
    "plan": Plan,
}
"""Name to model: what partners send, what officers fill in, what we store."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document; ``KeyError`` for a name that is not in ``SCHEMAS``."""
    found = SCHEMAS[name].model_json_schema()
    if name == "leerp-report":
        found["properties"]["format"] = {"const": "leerp-report/1"}
        found["required"] = ["format", *found["required"]]
    if name == "evidence":
        # Findings ignore what they do not know where they are stored; the file's reader refuses it.
        for part in found["$defs"].values():
            if "properties" in part:
                part["additionalProperties"] = False
    return found
