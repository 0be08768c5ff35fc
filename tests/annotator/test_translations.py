"""Every text of the pages is there in every language, as it stands in the sources now."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACES = re.compile(r"%(?:\((\w+)\))?[sd]|{(\w*)}")


@pytest.fixture(params=LANGUAGES)
def catalogue(request) -> Path:
    return ROOT / "annotator" / "locale" / request.param / "LC_MESSAGES" / "django.po"


def texts(file: polib.POFile | polib.MOFile) -> dict[str, str]:
    return {entry.msgid: entry.msgstr or str(entry.msgstr_plural) for entry in file if not entry.obsolete}


def test_it_has_exactly_the_texts_of_the_sources(catalogue: Path, tmp_path: Path) -> None:
    if not shutil.which("xgettext"):
        pytest.skip("gettext is not installed")
    shutil.copytree(ROOT / "annotator", tmp_path / "annotator", ignore=shutil.ignore_patterns("__pycache__"))
    language = catalogue.parent.parent.name
    make = [sys.executable, "-m", "django", "makemessages", "-l", language, "-v", "0"]
    without_settings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(make, cwd=tmp_path / "annotator", env=without_settings, check=True)
    fresh = polib.pofile(str(tmp_path / "annotator" / catalogue.relative_to(ROOT / "annotator")))
    assert set(texts(fresh)) == set(texts(polib.pofile(str(catalogue)))), "run `make messages`"


def test_nothing_is_left_untranslated(catalogue: Path) -> None:
    file = polib.pofile(str(catalogue))
    assert [entry.msgid for entry in file.untranslated_entries()] == []
    assert [entry.msgid for entry in file.fuzzy_entries()] == []


def test_what_is_filled_in_stands_in_the_translation(catalogue: Path) -> None:
    for entry in polib.pofile(str(catalogue)).translated_entries():
        if entry.msgstr:
            assert set(PLACES.findall(entry.msgid)) == set(PLACES.findall(entry.msgstr)), entry.msgid


def test_the_compiled_file_is_that_of_the_text(catalogue: Path) -> None:
    text = polib.pofile(str(catalogue))
    assert texts(polib.mofile(str(catalogue.with_suffix(".mo")))) == {
        entry.msgid: entry.msgstr or str(entry.msgstr_plural) for entry in text.translated_entries()
    }, "run `make messages`"


def test_a_browser_in_german_gets_german(client, cast) -> None:
    client.force_login(cast.alice)
    assert "Meine Arbeit" in client.get("/", headers={"accept-language": "de"}).content.decode()
    assert "My work" in client.get("/", headers={"accept-language": "fr"}).content.decode()
