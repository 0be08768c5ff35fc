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
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import translation

from annotator.annotation import agreement, projects
from annotator.annotation.models import Assignment, Comparison
from annotator.annotation.projects import ProjectRefused
from annotator.api import tokens
from annotator.events import language as languages
from annotator.studies import uploads
from annotator.studies.models import Upload
from scripts import frontend_texts
from tests.annotator import factories

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


# ------------------------------------------------------------------------------------------ what is refused


def test_a_page_refuses_in_the_language_of_its_reader(client, cast) -> None:
    client.force_login(cast.maria)
    labels = reverse("project_labels", args=[cast.project.pk])
    again = {"name": "Liver", "colour": "#123456"}
    german = client.post(labels, again, headers={"accept-language": "de"}).content.decode()
    assert "Es gibt schon ein Label Liver." in german
    assert "There is a label Liver already." in client.post(labels, again).content.decode()


def test_what_cannot_be_deleted_says_in_german_how_much_hangs_on_it(cast) -> None:
    factories.outline(cast.alices, cast.liver, factories.box((1, 3), (1, 4), (1, 5)))
    with translation.override("de"), pytest.raises(ProjectRefused) as refused:
        projects.delete(cast.project, cast.maria, cast.project.name)
    assert str(refused.value) == (
        "Das Projekt enthält 0 Interaktionen und 2 Masken von alice und kann daher nicht gelöscht werden; "
        "archivieren Sie es stattdessen."
    )


def test_the_rest_api_refuses_in_the_language_that_is_asked_for(client, cast) -> None:
    _token, secret = tokens.make(cast.maria, "tests", ["manage"], 1)
    address, again = f"/api/v1/projects/{cast.project.pk}/labels/", {"name": "spleen", "value": 9, "colour": "#123456"}

    def error(language: str, secret: str = secret) -> str:
        headers = {"authorization": f"Bearer {secret}", "accept-language": language}
        return client.post(address, again, "application/json", headers=headers).json()["error"]

    assert (error("de"), error("en")) == ("Es gibt schon ein Label spleen.", "There is a label spleen already.")
    assert error("de", "ann_nobody") == "Diesen Token gibt es nicht."


def test_an_import_reports_in_the_language_of_whoever_brought_the_files(cast, storage, settings, tmp_path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    languages.remember(cast.maria, "de")
    reports = {}
    for person in (cast.maria, cast.staff):
        upload = Upload.objects.create(project_id=cast.project.pk, person=person)
        Path(default_storage.path(upload.prefix)).mkdir(parents=True)
        uploads.run(upload.pk)
        upload.refresh_from_db()
        reports[person.username] = upload.report[0]["sentences"]
    assert reports == {
        "maria": ["Es ist keine Datei darin, die sich importieren ließe."],
        "staff": ["There is no file in it that could be imported."],
    }


def test_a_failed_comparison_is_said_in_the_language_of_whoever_reads_of_it(client, cast) -> None:
    check, golden = factories.make_double(cast.project, cast.bob, cast.alice)
    Assignment.objects.filter(pk=check.pk).update(kind="check", state="submitted")
    Comparison.objects.create(first=check, second=golden, state="failed", error=agreement.OPEN)
    client.force_login(cast.maria)
    gold = reverse("project_gold", args=[cast.project.pk])
    german = client.get(gold, headers={"accept-language": "de"}).content.decode()
    assert "Beide müssen eingereicht sein, bevor sie verglichen werden." in german
    assert agreement.OPEN in client.get(gold).content.decode()
