"""Which part of the program may know which other."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imports(path: Path) -> set[str]:
    """First names of all absolute imports of a file, wherever in it they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def importers(package: str, *names: str) -> list[str]:
    """Files of `package` that import one of `names`."""
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*.py")
        if any(module == name or module.startswith(f"{name}.") for module in imports(path) for name in names)
    )


def test_the_engine_is_the_only_door_to_segmodel() -> None:
    assert importers("annotator", "segmodel") == ["annotator/engine.py"]


def test_only_the_engine_knows_torch() -> None:
    assert set(importers("annotator", "torch")) <= {"annotator/engine.py"}


def test_segmodel_knows_nothing_of_the_web() -> None:
    assert importers("segmodel", "django", "annotator", "channels", "celery") == []


def test_studies_have_no_tables_that_point_upwards() -> None:
    assert "annotator.annotation.models" not in imports(ROOT / "annotator/studies/models.py")


def test_the_protocol_and_the_masks_stand_alone() -> None:
    for name in ("protocol", "masks"):
        assert not any(module.startswith(("django", "annotator")) for module in imports(ROOT / f"annotator/{name}.py"))
