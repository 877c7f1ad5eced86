"""The files of a warning: other tools read them, and each variant's hold what the variant keeps."""

from __future__ import annotations

import importlib.resources
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pymisp import MISPEvent
from pypdf import PdfReader
from stix2patterns.validator import validate as pattern_problems
from stix2validator import ValidationOptions, validate_string

from intake.formats.misp import Misp
from intake.formats.stix import Stix
from notifications.attachments import MISP, PDF, STIX, Attachment, attachments, machine_files
from notifications.blueprint import hook_document, nis2_tags
from notifications.ewn import EarlyWarning
from notifications.ewn_sections import IndicatorLine
from notifications.misp_annex import misp_event
from notifications.notices import blueprint_of
from notifications.products import Variant
from notifications.stix_annex import PAP_IDS, TLP_IDS, stix_bundle
from protocol.errors import Refused
from protocol.markings import HandlingCode, Marking, Pap, Tlp
from tests.notifications.samples import ewn, fact, indicator, initial

VALUES = {
    "url": "http://bad.example.invalid/it's?a=\\b",
    "domain": "bad.example.invalid",
    "ip": "203.0.113.9",
    "email": "bad@example.invalid",
    "sha256": "a" * 64,
    "sha1": "b" * 40,
    "md5": "c" * 32,
    "wallet": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
}
GREEN = Marking(tlp=Tlp.GREEN, pap=Pap.GREEN)


def warning(**changes: Any) -> EarlyWarning:
    lines = tuple(
        indicator(v, type=k, marking=GREEN, personal_data=k == "email") for k, v in VALUES.items()
    )
    red = indicator("198.51.100.7", type="ip", marking=Marking(pap=Pap.RED))
    return ewn(indicators=(*lines, red), marking=GREEN, **changes)


def bundle_of(made: EarlyWarning, variant: Variant = Variant.FULL) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(stix_bundle(made.view(variant)))
    return read


def of_type(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in bundle["objects"] if each["type"] == kind]


# STIX


@pytest.mark.parametrize("variant", Variant)
def test_the_bundle_is_valid_stix(variant: Variant) -> None:
    if not importlib.resources.files("stix2validator").joinpath("schemas-2.1").is_dir():
        pytest.skip("stix2-validator 3.3 ships without its schemas: 'make setup' brings 3.2")
    text = stix_bundle(warning(exercise=True).view(variant)).decode()
    options = ValidationOptions(version="2.1", disabled="uuid-check")  # ids are the same each time
    result = validate_string(text, options)
    assert result.is_valid, result.errors


@pytest.mark.requirement("R31", "R34")
def test_the_bundle_says_who_what_how_sure_and_under_which_marking() -> None:
    made = warning()
    bundle = bundle_of(made)
    parsed = stix2.parse(json.dumps(bundle), allow_custom=False)
    (report,), (issuer,) = of_type(bundle, "report"), of_type(bundle, "identity")
    indicators = of_type(bundle, "indicator")
    assert len(parsed.objects) == len(bundle["objects"])
    assert report["object_refs"] == [issuer["id"], *(each["id"] for each in indicators)]
    assert report["confidence"] == 50
    assert report["lang"] == "en"
    assert set(nis2_tags(made.blueprint)) <= set(report["labels"])
    definitions = {each["id"] for each in of_type(bundle, "marking-definition")}
    for each in (report, *indicators):
        assert set(each["object_marking_refs"]) <= definitions
        assert each["created_by_ref"] == issuer["id"]
    by_value = {each["pattern"]: each for each in indicators}
    (red,) = [each for pattern, each in by_value.items() if "198.51.100.7" in pattern]
    assert f"marking-definition--{PAP_IDS[Pap.RED][0]}" in red["object_marking_refs"]
    assert f"marking-definition--{TLP_IDS[Tlp.AMBER]}" in red["object_marking_refs"]
    assert all(each["valid_from"] < each["valid_until"] for each in indicators)


@pytest.mark.parametrize(("kind", "value"), VALUES.items())
def test_each_kind_of_indicator_has_a_pattern_that_reads(kind: str, value: str) -> None:
    bundle = bundle_of(ewn(indicators=(indicator(value, type=kind),)))
    (made,) = of_type(bundle, "indicator")
    assert pattern_problems(made["pattern"], stix_version="2.1") is True


def test_the_same_warning_makes_the_same_bytes_and_the_next_version_the_same_ids() -> None:
    made = warning()
    again = EarlyWarning.model_validate(made.model_dump(mode="json"))
    assert stix_bundle(made.view(Variant.FULL)) == stix_bundle(again.view(Variant.FULL))
    assert misp_event(made.view(Variant.FULL)) == misp_event(again.view(Variant.FULL))
    later = made.model_copy(update={"issued_at": datetime.now(UTC)})
    ids = [{each["id"] for each in bundle_of(each)["objects"]} for each in (made, later)]
    assert ids[0] == ids[1]


def test_our_own_intake_reads_the_bundle_and_the_event() -> None:
    view = warning().view(Variant.TECHNICAL)
    for adapter, data in ((Stix(), stix_bundle(view)), (Misp(), misp_event(view))):
        document = json.loads(data)
        assert adapter.recognises(document)
        (content,) = adapter.read(document)
        assert content.marking.tlp is view.marking.tlp
        assert {VALUES["domain"], VALUES["ip"], VALUES["sha256"]} <= {
            each.value for each in content.indicators
        }


# MISP


@pytest.mark.requirement("R32", "R34")
def test_pymisp_loads_the_event_with_its_tags_and_acts_only_where_the_pap_lets_it() -> None:
    made = warning()
    event = MISPEvent()
    event.from_json(misp_event(made.view(Variant.FULL)).decode())
    assert event.distribution == 1  # one indicator is TLP:AMBER, so the whole is
    assert {tag.name for tag in event.tags} >= {"tlp:amber", "PAP:RED", *nis2_tags(made.blueprint)}
    found = {attribute.value: attribute for attribute in event.attributes}
    assert found.keys() >= set(VALUES.values())
    assert found[VALUES["url"]].to_ids
    assert found[VALUES["url"]].type == "url"
    assert not found["198.51.100.7"].to_ids
    assert found[VALUES["wallet"]].type == "btc"
    tags = {tag.name for tag in found[VALUES["domain"]].tags}
    assert tags == {
        "tlp:green",
        "PAP:GREEN",
        'admiralty-scale:source-reliability="b"',
        'admiralty-scale:information-credibility="3"',
    }


@pytest.mark.parametrize(
    ("tlp", "distribution"), [(Tlp.CLEAR, 3), (Tlp.GREEN, 2), (Tlp.AMBER_STRICT, 0), (Tlp.RED, 0)]
)
def test_an_event_goes_no_further_than_its_tlp(tlp: Tlp, distribution: int) -> None:
    marking = Marking(tlp=tlp, pap=Pap.CLEAR)
    made = ewn(
        facts=(fact(marking=marking),), indicators=(indicator(marking=marking),), marking=marking
    )
    event = json.loads(misp_event(made.view(Variant.FULL)))["Event"]
    assert event["distribution"] == str(distribution)


# What each variant keeps


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("variant", [Variant.TECHNICAL, Variant.SANITISED])
def test_no_annex_of_a_reduced_variant_holds_what_the_variant_leaves_out(variant: Variant) -> None:
    held = Marking(handling_codes=frozenset({HandlingCode.H2}))
    made = ewn(
        indicators=(
            indicator(),
            indicator("203.0.113.9", type="ip", marking=Marking(pap=Pap.RED)),
            indicator("held.example.invalid", type="domain", marking=held),
            indicator("person@example.invalid", type="email", personal_data=True),
        ),
    )
    for annex in machine_files(made.view(variant), "x"):
        text = annex.data.decode()
        for dropped in (
            "203.0.113.9",
            "held.example",
            "person@",
            "Police of",
            "CSIRT of",
            "PAP:RED",
        ):
            assert dropped not in text
        assert "bad.example.invalid" in text
    nis2 = "nis2:" in machine_files(made.view(variant), "x")[0].data.decode()
    assert nis2 is (variant is Variant.TECHNICAL)
    assert machine_files(made.view(Variant.SUMMARY), "x") == ()


texts = st.text(min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(VALUES)), value=texts, line=texts)
def test_whatever_reports_name_becomes_files_that_read(kind: str, value: str, line: str) -> None:
    try:
        made = ewn(indicators=(indicator(value, type=kind),), bottom_line=(line,))
    except (ValidationError, Refused):
        return  # blank, or a control character: the officer is told
    (kept,) = made.indicators
    assert isinstance(kept, IndicatorLine)
    for read in of_type(bundle_of(made), "indicator"):  # none of a hash that is none
        assert pattern_problems(read["pattern"], stix_version="2.1") is True
    event = MISPEvent()
    event.from_json(misp_event(made.view(Variant.FULL)).decode())
    assert kept.value in {attribute.value for attribute in event.attributes}


# PDF, and all of them together


def by_type(files: tuple[Attachment, ...]) -> dict[str, Attachment]:
    return {each.media_type: each for each in files}


@pytest.mark.requirement("R31")
def test_every_sheet_of_the_pdf_has_the_marking_on_top_and_at_the_bottom() -> None:
    files = attachments(ewn(exercise=True), Variant.FULL, "en")
    pages = PdfReader(io.BytesIO(by_type(files)[PDF].data)).pages
    assert len(pages) > 1
    for page in pages:
        text = page.extract_text()
        assert text.count("TLP:AMBER PAP:RED") >= 2
        assert text.count("EXERCISE EXERCISE EXERCISE") >= 2


def test_the_files_are_made_once_for_all_readers_of_a_variant_and_language() -> None:
    made = ewn()
    first = attachments(made, Variant.SANITISED, "de")
    again = EarlyWarning.model_validate(made.model_dump(mode="json"))
    assert attachments(again, Variant.SANITISED, "de") is first
    assert attachments(made, Variant.SANITISED, "fr") is not first
    assert by_type(first).keys() == {PDF, STIX, MISP}
    assert all(each.name.isascii() and " " not in each.name for each in first)
    assert attachments(initial(), Variant.FULL, "en") == ()


# Blueprint


@pytest.mark.requirement("R34")
def test_the_hook_for_the_union_holds_the_tags_and_nothing_of_the_case() -> None:
    made = warning()
    notice = blueprint_of(made)
    assert notice.product().variant(Variant.FULL).marking.pap is not Pap.RED
    hook = hook_document(notice.shown(Variant.FULL))
    assert hook["root_cause"] == "malicious-actions"
    assert hook["sectors"] == ["health"]
    assert 'nis2:impact-outlook="worsening"' in hook["tags"]
    bare = hook_document(notice.shown(Variant.SUMMARY))
    assert "tags" not in bare
    assert "victims" not in bare
    files = attachments(notice, Variant.FULL, "en")
    assert {each.name.rpartition(".")[2] for each in files} == {"pdf", "json"}
    assert len(files) == 4
    everything = b"".join(each.data for each in files if each.media_type != PDF)
    assert b"198.51.100.7" not in everything
    assert b"Police of" not in everything


def test_what_files_are_made_with_is_there_before_a_warning_wants_it() -> None:
    said = """if True:
        import sys
        from notifications.attachments import load_tools
        tools = {"weasyprint", "pymisp", "stix2"}
        before = tools & sys.modules.keys()
        load_tools()
        print(sorted(before), sorted(tools & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['pymisp', 'stix2', 'weasyprint']"
