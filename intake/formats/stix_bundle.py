"""A STIX bundle as an index: its objects, which of them are reports, and what belongs to each.

Source: domain 6.5.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from intake.formats.stix_patterns import is_observable, refs
from protocol.errors import RejectedReport

Thing = dict[str, Any]
_LINKS = {"relationship", "sighting"}
_EVIDENCE = {"indicator", "observed-data", "infrastructure"}


@dataclass(slots=True)
class Bundle:
    """The objects of a bundle by id, in their order; of two versions the later one counts."""

    id: object
    objects: dict[str, Thing] = field(default_factory=dict)
    links_of: dict[str, list[str]] = field(default_factory=dict)
    """Relationships and sightings by the objects that they join."""
    position: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    """Entries that are no objects or have no id."""

    @classmethod
    def of(cls, document: Thing | list[Any]) -> Bundle:
        """Index a bundle, or objects without one, as a list or as TAXII hands them out.

        Raises:
            RejectedReport: ``bad-structure`` or ``no-reports``.
        """
        entries, bundle_id = _entries(document)
        if not isinstance(entries, list):
            raise RejectedReport("bad-structure", "the bundle's objects are not a list")
        bundle = cls(id=bundle_id)
        for entry in entries:
            bundle._add(entry)
        if not bundle.objects:
            raise RejectedReport("no-reports", "the bundle holds no object")
        bundle.position = {thing_id: at for at, thing_id in enumerate(bundle.objects)}
        for thing in bundle.objects.values():
            if thing["type"] in _LINKS:
                for ref in refs(thing):
                    bundle.links_of.setdefault(ref, []).append(thing["id"])
        return bundle

    def _add(self, entry: Any) -> None:
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(name), str) and entry[name] for name in ("type", "id")
        ):
            self.broken += 1
            return
        known = self.objects.get(entry["id"])
        if known and str(known.get("modified", "")) > str(entry.get("modified", "")):
            return
        self.objects[entry["id"]] = entry

    def roots(self) -> list[Thing]:
        """Incidents, else reports and groupings; none if the bundle as a whole is the report."""
        for kinds in ({"incident"}, {"report", "grouping"}):
            found = [thing for thing in self.objects.values() if thing["type"] in kinds]
            if found:
                return found
        return []

    def members(self, root: Thing, roots: frozenset[str]) -> list[Thing]:
        """What belongs to ``root``: all if it is alone, else what it refers to or is linked with.

        The work done is in proportion to what is found, not to the size of the bundle.
        """
        if len(roots) == 1:
            return list(self.objects.values())
        inside = self._closure([root["id"]], roots)
        if root["type"] == "incident":
            inside |= self._closure(self._linked(inside), roots)
            evidence = [link for link in self._linked(inside) if self._is_evidence(link)]
            inside |= self._closure(evidence, roots)
        inside |= {
            link
            for link in self._linked(inside)
            if all(ref in inside for ref in refs(self.objects[link]))
        }
        return [self.objects[i] for i in sorted(inside, key=self.position.__getitem__)]

    def _closure(self, start: Iterable[str], without: frozenset[str]) -> set[str]:
        """Everything reached by references, except through other reports."""
        inside = {i for i in start if i in self.objects}
        pending = list(inside)
        while pending:
            for ref in refs(self.objects[pending.pop()]):
                if ref in self.objects and ref not in without and ref not in inside:
                    inside.add(ref)
                    pending.append(ref)
        return inside

    def _linked(self, inside: set[str]) -> set[str]:
        return {link for member in inside for link in self.links_of.get(member, [])}

    def _is_evidence(self, link_id: str) -> bool:
        ends = [self.objects[r] for r in refs(self.objects[link_id]) if r in self.objects]
        return any(end["type"] in _EVIDENCE or is_observable(end) for end in ends)

    def get(self, ref: object, *kinds: str) -> Thing | None:
        """The object with this id, if it is here and of one of ``kinds``."""
        thing = self.objects.get(ref) if isinstance(ref, str) else None
        return thing if thing is not None and (not kinds or thing["type"] in kinds) else None

    def links(self, thing_id: str, *kinds: str) -> list[tuple[Thing, Thing]]:
        """Relationships of these kinds that start at an object, each with its target."""
        things = (self.objects[link] for link in self.links_of.get(thing_id, []))
        return [
            (thing, target)
            for thing in things
            if thing.get("source_ref") == thing_id
            and thing.get("relationship_type") in kinds
            and (target := self.get(thing.get("target_ref")))
        ]


def _entries(document: Thing | list[Any]) -> tuple[Any, object]:
    """The objects, and the id of their bundle; one made of them where they have no bundle."""
    if isinstance(document, list):
        entries: Any = document
    elif document.get("type") == "bundle":
        return document.get("objects"), document.get("id")
    elif isinstance(document.get("objects"), list):
        entries = document["objects"]
    else:
        return [document], document.get("id")
    said = json.dumps(entries, sort_keys=True)
    return entries, f"stix-objects-{hashlib.sha256(said.encode()).hexdigest()[:32]}"
