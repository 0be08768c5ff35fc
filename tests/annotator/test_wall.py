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


APPS = ("events", "studies", "annotation", "learning", "api", "projects", "accounts")
"""The lowest first: the tables of one point at those of the apps before it only, and at people."""


def test_tables_point_in_one_direction() -> None:
    for position, app in enumerate(APPS):
        above = [f"annotator.{other}" for other in APPS[position + 1 :]]
        path = ROOT / f"annotator/{app}/models.py"
        upwards = [name for name in imports(path) if name.startswith(tuple(above))] if path.exists() else []
        assert upwards == [], f"{app}/models.py"


def test_events_know_nobody_s_tables() -> None:
    models = [f"annotator.{app}.models" for app in APPS if app != "events"]
    assert importers("annotator/events", *models) == []


def test_what_the_team_does_knows_no_pages() -> None:
    pages = ("annotator.projects", "annotator.accounts", "annotator.api", "annotator.live")
    assert importers("annotator/annotation", *pages) == []
