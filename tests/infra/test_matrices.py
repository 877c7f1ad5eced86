"""Where matrices come from: the profile, what is shipped, and a person's file in any form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.matrices import find_matrix, shipped_matrices
from infra.settings import Settings
from protocol.errors import NotFound, Refused

pytestmark = pytest.mark.requirement("R14")
PROFILE = Settings().profile()


def test_a_matrix_is_found_by_its_name_wherever_it_stands() -> None:
    assert find_matrix("leerp-tcm/1", PROFILE).cells == PROFILE.classification.cells
    strict = find_matrix("leerp-tcm-strict/1", PROFILE)
    assert strict == shipped_matrices()["leerp-tcm-strict/1"]
    again = PROFILE.with_matrix(strict)
    assert find_matrix("leerp-tcm-strict/1", again).cells == strict.cells


def test_a_file_in_any_form_and_a_profile_hold_a_matrix(tmp_path: Path) -> None:
    own = PROFILE.matrix_in_force()
    as_json = own.model_dump_json(indent=1)
    for ending in (".json", ".yaml"):  # JSON is YAML
        path = tmp_path / f"mine{ending}"
        path.write_text(as_json)
        assert find_matrix(str(path), PROFILE) == own
    profile = tmp_path / "profile.json"
    profile.write_text(PROFILE.model_dump_json())
    assert find_matrix(str(profile), PROFILE).matrix == "leerp-tcm/1"


def test_a_faulty_file_is_named_with_line_and_cell(tmp_path: Path) -> None:
    data = json.loads(PROFILE.matrix_in_force().model_dump_json())
    data["cells"][2][3] = 1
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(data, indent=1))
    line = next(
        n
        for n, text in enumerate(path.read_text().splitlines(), 1)
        if n > 1 and text.strip() == "1," and path.read_text().splitlines()[n - 2].strip() == "2,"
    )
    with pytest.raises(Refused, match=rf"mine\.yaml: line {line}, cells\.2\.3: cell I2/P3"):
        find_matrix(str(path), PROFILE)


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="no matrix 'best/1': there are leerp-tcm/1"):
        find_matrix("best/1", PROFILE)
    with pytest.raises(Refused, match="No such file"):
        find_matrix("gone.toml", PROFILE)
