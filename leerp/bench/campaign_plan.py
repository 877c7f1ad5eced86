"""How much a bench of campaigns measures."""

from __future__ import annotations

from dataclasses import dataclass

CONTROL_MAILS = 30_000
"""smtp-source needs two seconds for so many."""

FEWEST_BUILDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """What was asked for on the command line, and what follows from it."""

    recipients: int
    rounds: int

    @property
    def control_mails(self) -> int:
        """Of smtp-source, which is so fast that the subject's number would be over at once."""
        return min(10 * self.recipients, CONTROL_MAILS)

    @property
    def delayed(self) -> int:
        """Mails of a round with a delay to each answer."""
        return max(self.recipients // 5, 1)

    @property
    def builds(self) -> int:
        """Mails of a round that are built; enough for one of each class."""
        return max(self.recipients // 5, FEWEST_BUILDS)
