"""What a person must have confirmed before a notice goes as it could go: all of it at once.

Each rule is met by a record with its evidence and the officer who put it down, and by nothing else.
Source: domain 4.4 (confirmations always needed).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from notifications.directory import Recipient
from notifications.grants import Permission, PermissionKind
from notifications.lock_rules import Finding
from notifications.locks import LockDecision, Locks
from notifications.products import Variant

K = PermissionKind

RULES: Mapping[PermissionKind, str] = {
    K.PRIVATE_PARTNER: "first use of a private partner: somebody has confirmed that it is told",
    K.H2: "H2: the provider permits dissemination to this recipient",
    K.H3_READ: "H3: somebody has read the text and recorded how it is met",
    K.JUDICIAL_USE: "H1 to judicial use: the provider permits use in proceedings",
    K.DOWNGRADE: "downgrade of a marking: the provider consents, and two people have agreed",
    K.TRANSFER: "third-country transfer: there is a basis in law, and the provider agrees",
    K.TLP_RED: "TLP:RED: the source names this recipient",
    K.LIFE_THREAT: "life-threat override: two officers, with reasons, for a limited time",
    K.PERSONAL_DATA: "personal data to a body that is not police: there is a legal basis",
}
"""The confirmations that are always needed, each with its rule."""
AGREEMENTS: Mapping[PermissionKind, str] = {
    K.SOURCE_AGREEMENT: "the source agrees that somebody outside its community is told",
    K.REGISTERED: "C-UE and above: the recipient is registered for it",
}
"""What needs a record too."""
MEANINGS: Mapping[PermissionKind, str] = {**RULES, **AGREEMENTS}


@dataclass(slots=True, kw_only=True)
class Need:
    """One confirmation of one provider that a release needs: who has it, who has not."""

    kind: PermissionKind
    provider: str
    components: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    """Recipients without a record; they get less, or nothing."""
    confirmed: dict[str, Permission] = field(default_factory=dict)
    """By recipient, the record that confirms it."""

    @property
    def rule(self) -> str:
        return MEANINGS[self.kind]

    def record(self, incident_id: str) -> str:
        """The command that records what is missing."""
        whose = f"--provider '{self.provider}'" if self.provider else "--own"
        standing = self.kind in {K.PRIVATE_PARTNER, K.REGISTERED} or (
            self.kind is K.TRANSFER and not self.provider
        )
        what = "--standing" if standing else incident_id
        names = " ".join(f"--recipient {name}" for name in sorted(self.missing))
        return (
            f"leerp permissions record {what} --kind {self.kind} {whose} {names} "
            "--evidence ID --as OFFICER"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would go to one recipient if it were released now."""

    recipient: Recipient
    contact: int
    decision: LockDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A release looked at before anything leaves."""

    needs: tuple[Need, ...]
    previews: tuple[Preview, ...]

    @property
    def missing(self) -> tuple[Need, ...]:
        return tuple(need for need in self.needs if need.missing)


def check_release(locks: Locks, recipients: Iterable[Recipient]) -> Check:
    """Every confirmation that a release to these recipients needs, and what each would get now.

    Of each recipient its best contact counts, and the fullest variant that records alone can open.
    """
    needs: dict[tuple[PermissionKind, str], Need] = {}
    previews = []
    for recipient in recipients:
        number, decision = best_contact(locks, recipient)
        previews.append(Preview(recipient=recipient, contact=number, decision=decision))
        for found in _wanted(locks, recipient, number):
            if found.kind is None:
                continue
            overridden = found.grant is not None and found.grant.kind is K.LIFE_THREAT
            kind = K.LIFE_THREAT if overridden else found.kind
            provider = "" if kind in {K.PRIVATE_PARTNER, K.REGISTERED} else found.provider
            need = needs.setdefault((kind, provider), Need(kind=kind, provider=provider))
            need.components.add(found.component)
            if found.grant is None:
                need.missing.add(recipient.id)
            else:
                need.confirmed.setdefault(recipient.id, found.grant)
    for need in needs.values():
        for name in need.missing:
            need.confirmed.pop(name, None)
    ordered = sorted(needs.values(), key=lambda n: (tuple(K).index(n.kind), n.provider))
    return Check(needs=tuple(ordered), previews=tuple(previews))


def best_contact(locks: Locks, recipient: Recipient) -> tuple[int, LockDecision]:
    """The contact that may get the fullest variant, the earlier one of two alike (R72)."""
    order = tuple(Variant)
    decisions = [locks.decide(recipient, contact) for contact in recipient.contacts]
    opened = [(order.index(each.variant), n) for n, each in enumerate(decisions) if each.allowed]
    number = min(opened)[1] if opened else 0
    return number, decisions[number]


def _wanted(locks: Locks, recipient: Recipient, number: int) -> tuple[Finding, ...]:
    """The findings of the fullest variant in whose way nothing stands but records."""
    for variant in Variant:
        found = locks.findings(recipient, recipient.contacts[number], variant)
        if found and all(each.possible for each in found):
            return found
    return ()
