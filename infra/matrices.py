"""Where matrices come from: the profile, the alternatives that are shipped, and a person's own files."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from infra.documents import FORMS, Document, Form, parse_document, read_document
from protocol.errors import NotFound
from protocol.matrix import Matrix
from protocol.profile import Profile

BAD_MATRIX = "bad-matrix"


def matrix_of(document: Document) -> Matrix:
    """The matrix in a file of its own, or the one in a profile's file.

    Raises:
        Refused: ``bad-matrix``; the message names the file, and line, field and cell of each problem.
    """

    def read(data: Any) -> Matrix:
        if isinstance(data, dict) and "classification" in data:
            return Profile.of_data(data).matrix_in_force()
        return Matrix.of_data(data)

    return document.read(read, reason=BAD_MATRIX)


def shipped_matrices() -> dict[str, Matrix]:
    """The alternatives that come with the project, by name."""
    folder = resources.files("protocol") / "matrices"
    found = [
        matrix_of(parse_document(file.read_text("utf-8"), Form.TOML, name=file.name))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    ]
    return {each.matrix: each for each in found}


def find_matrix(name: str, profile: Profile) -> Matrix:
    """The profile's own matrix or a shipped one by its name, or any from its file.

    Raises:
        NotFound: there is none of that name, nor such a file.
        Refused: the file cannot be read, or holds no good matrix.
    """
    if name == profile.matrix:
        return profile.matrix_in_force()
    shipped = shipped_matrices()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.suffix.lower() in FORMS:
        return matrix_of(read_document(path))
    known = ", ".join(dict.fromkeys((profile.matrix, *shipped)))
    raise NotFound(f"no matrix {name!r}: there are {known}, or name a file (.toml, .yaml, .json)")
