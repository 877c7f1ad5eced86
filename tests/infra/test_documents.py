"""Documents in three forms: one set of values, and the line of each field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from infra.document_lines import MAX_STATEMENT_LINES, lines_of_toml
from infra.documents import Form, form_of, parse_document, read_document
from protocol.errors import Refused
from protocol.wording import MisfitError

YAML = """\
title: a case
items:
  - name: one
    size: 3
  - name: two
    size: many
"""
JSON = """\
{
\t"title": "a case",
\t"items": [
\t\t{"name": "one", "size": 3},
\t\t{"name": "two",
\t\t "size": "many"}
\t]
}
"""
TOML = """\
# a comment
title = "a case"

[[items]]
name = "one"
size = 3
[[items]]
name = '''
two'''
size = "many"
"""
FORMS = [(Form.YAML, YAML, 6), (Form.JSON, JSON, 6), (Form.TOML, TOML, 10)]


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: int


class Case(BaseModel):
    title: str
    items: list[Item]


@pytest.mark.parametrize(("form", "text", "line"), FORMS)
def test_a_wrong_value_is_named_by_file_line_and_field(form: Form, text: str, line: int) -> None:
    document = parse_document(text, form, name="case")
    with pytest.raises(Refused, match=rf"^case: line {line}, items\.1\.size: ") as refused:
        document.read(Case.model_validate, reason="bad-case")
    assert refused.value.reason == "bad-case"


@pytest.mark.parametrize(("form", "text", "line"), FORMS)
def test_good_values_are_read(form: Form, text: str, line: int) -> None:
    good = text.replace('"many"', "4").replace("many", "4")
    found = parse_document(good, form, name="case").read(Case.model_validate, reason="bad-case")
    assert [item.size for item in found.items] == [3, 4]
    assert line


@pytest.mark.parametrize(("form", "text", "line"), FORMS)
def test_what_is_missing_is_named_where_it_should_stand(form: Form, text: str, line: int) -> None:
    document = parse_document(text.replace("size", "weight"), form, name="case")
    with pytest.raises(Refused) as refused:
        document.read(Case.model_validate, reason="bad-case")
    first, second = {Form.YAML: (3, 5), Form.JSON: (4, 5), Form.TOML: (4, 7)}[form]
    assert f"line {first}, items.0.size: Field required" in str(refused.value)
    assert f"line {second}, items.1.size: Field required" in str(refused.value)
    assert f"line {line}, items.1.weight: Extra inputs" in str(refused.value)


def test_problems_that_a_reader_finds_itself_are_named_alike() -> None:
    def reader(_data: Any) -> None:
        raise MisfitError([(("items", 0, "name"), "nobody is called one")])

    with pytest.raises(Refused, match=r"line 3, items\.0\.name: nobody is called one"):
        parse_document(YAML, Form.YAML, name="case").read(reader, reason="bad-case")


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        (Form.YAML, "a: 1\na: 2\n", "line 2: found duplicate key"),
        (Form.YAML, "a: [1\n", "line 2: expected"),
        (Form.YAML, "a: &x [1]\nb: [*x, *x]\n", "alias"),
        (Form.YAML, "a: &x [*x]\n", "alias"),
        (Form.YAML, "a: !!python/object:os.system x\n", "line 1: could not determine"),
        (Form.YAML, "a: 1\n---\nb: 2\n", "line 2: but found another document"),
        (Form.YAML, "a: \x00\n", "special characters are not allowed"),
        (Form.YAML, "[" * 5_000, "nested too deeply"),
        (Form.YAML, f"a: {'9' * 5_000}\n", "Exceeds the limit"),
        (Form.JSON, '{"a": 1,\n "a": 2}', "'a' is given twice"),
        (Form.JSON, '{"a":\n [}', "line 2"),
        (Form.JSON, '{"a": NaN}', "NaN is not a number"),
        (Form.JSON, "[" * 100_000, "nested too deeply"),
        (Form.JSON, f"[{'9' * 5_000}]", "Exceeds the limit"),
        (Form.TOML, "a = 1\nb = \n", "line 2"),
        (Form.TOML, "a = 1\na = 2\n", "overwrite"),
        (Form.JSON, f'"{"a" * 1_000_000}"', "longer than 1,000,000 characters"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(form: Form, text: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_document(text, form, name="case")
    assert words in str(refused.value)
    assert str(refused.value).startswith("case: ")


def test_yaml_is_yaml_1_2_and_leaves_times_to_the_model() -> None:
    text = "country: NO\nanswer: no\nwhen: 2017-05-12T08:00:00Z\n"
    assert parse_document(text, Form.YAML, name="x").data == {
        "country": "NO",
        "answer": "no",
        "when": "2017-05-12T08:00:00Z",
    }


def test_an_empty_yaml_file_holds_nothing() -> None:
    assert parse_document("", Form.YAML, name="x").data is None


def test_a_file_is_read_by_its_ending_and_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "case.YML"
    path.write_bytes(b"\xef\xbb\xbftitle: x\n")
    assert read_document(path).data == {"title": "x"}


def test_a_file_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"must end in one of \.json"):
        form_of(Path("case.txt"))
    with pytest.raises(Refused, match="No such file"):
        read_document(tmp_path / "case.json")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'"\xff"')
    with pytest.raises(Refused, match="not UTF-8 at byte 1"):
        read_document(broken)


def test_json_that_yaml_cannot_place_is_still_named_by_its_field() -> None:
    key = "k" * 3_000
    document = parse_document(f'{{"{key}": 1, "items": 3}}', Form.JSON, name="case")
    assert document.place(("items",)) in ("items", "line 1, items")


def test_toml_lines_follow_tables_arrays_of_tables_and_strings_of_many_lines() -> None:
    text = (
        'a.b = 1\n[t."x y"]\nk = { in = 2 }\n[[e]]\nv = [\n 1,\n]\n'
        '[e.sub]\nw = """\n[[e]]\n"""\n[[e]]\nv = 1\n'
    )
    lines = lines_of_toml(text)
    assert {place: lines[place] for place in lines if place} == {
        ("a",): 1,
        ("a", "b"): 1,
        ("t",): 2,
        ("t", "x y"): 2,
        ("t", "x y", "k"): 3,
        ("t", "x y", "k", "in"): 3,
        ("e",): 4,
        ("e", 0): 4,
        ("e", 0, "v"): 5,
        ("e", 0, "sub"): 8,
        ("e", 0, "sub", "w"): 9,
        ("e", 1): 12,
        ("e", 1, "v"): 13,
    }


def test_a_toml_statement_without_an_end_in_sight_is_given_up() -> None:
    text = "a = 1\nb = [\n" + "1,\n" * MAX_STATEMENT_LINES + "]\nc = 1\n"
    lines = lines_of_toml(text)
    assert ("a",) in lines
    assert ("c",) not in lines


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab c", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_every_value_of_json_has_a_line_and_it_is_the_right_one(value: Any) -> None:
    document = parse_document(json.dumps(value, indent=1), Form.JSON, name="x")
    lines = document.lines()

    def below(part: Any, place: tuple[int | str, ...]) -> None:
        assert place in lines
        pairs: Any = enumerate(part) if isinstance(part, list) else ()
        if isinstance(part, dict):
            pairs = part.items()
        before = lines[place]
        for key, inner in pairs:
            assert lines[(*place, key)] > before
            before = lines[(*place, key)]
            below(inner, (*place, key))

    assert document.data == value
    below(value, ())
