"""The sample files that must be refused, each with its reason, written from the files."""

from __future__ import annotations

REFUSED = {
    "idea0/csirtmu_rfc4765.jsonl": "no-id",  # lines 7 and 10 of it; the whole is one record
    "malformed/json_i_number_very_big_negative_int.json": "number-too-large",
    "malformed/json_i_string_invalid_utf-8.json": "bad-text",
    "malformed/json_i_string_iso_latin_1.json": "bad-text",
    "malformed/json_i_string_lone_second_surrogate.json": "bad-text",
    "malformed/json_n_number_NaN.json": "not-finite",
    "malformed/json_n_string_unescaped_ctrl_char.json": "bad-text",
    "malformed/json_n_structure_100000_opening_arrays.json": "too-deep",
    "malformed/json_n_structure_no_data.json": "empty",
    "malformed/json_n_structure_trailing__.json": "not-json",
    "malformed/json_y_object_duplicated_key.json": "duplicate-key",
    "malformed/json_y_string_null_escape.json": "bad-text",
    "malformed/mail_bad_date_header.eml": "no-reports",  # it ends within its header
    "malformed/mail_missing_body.eml": "no-reports",
    "malformed/own_idea0_bad_detecttime.json": "bad-time",
    "malformed/own_iodef2_bad_timestamp.xml": "bad-time",
    "malformed/own_iodef2_billion_laughs.xml": "xml-dtd",
    "malformed/own_iodef2_xxe_file.xml": "xml-dtd",
    "malformed/own_misp_missing_uuid_bad_date.json": "no-id",
    "malformed/xarf3_invalid_empty.json": "unknown-format",  # nothing but a version
    "malformed/xarf4_missing_reporter.json": "missing-field",
    "malformed/xarf4_missing_xarf_version.json": "missing-field",
    "malformed/xml_cyclic.xml": "xml-dtd",
    "malformed/xml_external_file.xml": "xml-dtd",
    "malformed/xml_xmlbomb.xml": "xml-dtd",
    "stix1_legacy/elevator_incident_malware_stix1.xml": "stix-1",
    "stix1_legacy/misp_stix_event1_stix11.xml": "stix-1",
}
