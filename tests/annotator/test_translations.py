"""Every text of the pages and of the browser's side is there in every language, as it stands in the sources now."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.urls import reverse

from scripts import frontend_texts

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACES = re.compile(r"%(?:\((\w+)\))?[sd]|{(\w*)}")


@pytest.fixture(params=LANGUAGES)
def language(request) -> str:
    return request.param


@pytest.fixture(params=["django", "djangojs"])
def catalogue(request, language: str) -> Path:
    return ROOT / "annotator" / "locale" / language / "LC_MESSAGES" / f"{request.param}.po"


def texts(entries: Iterable[polib.POEntry | polib.MOEntry]) -> dict[tuple[str, str], str]:
    """By context and text."""
    return {(one.msgctxt or "", one.msgid): one.msgstr or str(one.msgstr_plural) for one in entries if not one.obsolete}


def test_it_has_exactly_the_texts_of_the_sources(catalogue: Path, language: str, tmp_path: Path) -> None:
    if not shutil.which("xgettext"):
        pytest.skip("gettext is not installed")
    shutil.copytree(ROOT / "annotator", tmp_path / "annotator", ignore=shutil.ignore_patterns("__pycache__"))
    frontend_texts.write(tmp_path / "annotator" / "frontend.js")
    make = [sys.executable, "-m", "django", "makemessages", "-d", catalogue.stem, "-l", language, "-v", "0"]
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
    compiled = polib.mofile(str(catalogue.with_suffix(".mo")))
    assert texts(compiled) == texts(text.translated_entries()), "run `make messages`"


def test_a_browser_in_german_gets_german(client, cast) -> None:
    client.force_login(cast.alice)
    assert "Meine Arbeit" in client.get("/", headers={"accept-language": "de"}).content.decode()
    assert "My work" in client.get("/", headers={"accept-language": "fr"}).content.decode()


def test_the_canvas_has_its_texts_in_the_page(client, cast) -> None:
    client.force_login(cast.alice)
    case = reverse("case", args=[cast.alices.pk])
    german = client.get(case, headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de">' in german and '"Undo": "R\\u00fcckg\\u00e4ngig"' in german
    assert '["%(n)s Schicht", "%(n)s Schichten"]' in german
    english = client.get(case, headers={"accept-language": "en"}).content.decode()
    assert '<html lang="en-gb">' in english and "Undo" not in english


def test_a_text_that_xgettext_could_not_find_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "Panel.tsx"
    for call in ("gettext(name)", "gettext(`Slice ${z}`)", 'gettext("Slice " + z)', 'ngettext("slice", many, n)'):
        source.write_text(f"const text = {call};")
        with pytest.raises(ValueError, match="one plain string"):
            list(frontend_texts.calls(source))
