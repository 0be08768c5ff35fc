"""What is written about the program is true: no variable and no command without its line, and none too many."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_variable_is_documented_and_no_other() -> None:
    read = set(re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', (ROOT / "annotator/settings.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert documented - {"SECRET_KEY"} == read


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_command_of_the_click_model_is_shown_in_a_document() -> None:
    commands = re.search(r"^COMMANDS = \((.*)\)$", (ROOT / "segmodel/commands/__init__.py").read_text(), re.MULTILINE)
    assert commands
    shown = set(re.findall(r"segmodel (\w+)", "".join(d.read_text() for d in (ROOT / "docs").glob("*.md"))))
    assert set(commands[1].split(", ")) - shown == set()


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets
