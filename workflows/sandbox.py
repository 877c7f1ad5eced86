"""The sandbox that workflow code runs in, the same for workers, replay and tests.

Rooms below the workflows are passed through: rules that are pure (their own tests hold that), payload
types, and activities' names. The workflows' own modules stay inside, where clocks and chance are barred.
"""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "activities",
    "classification",
    "infra",
    "notifications",
    "protocol",
    "workflows.messages",
)

SANDBOX = SandboxedWorkflowRunner(
    SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
)
