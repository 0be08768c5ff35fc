"""The command line client: against a real site from a new project to accepted masks, and its one-sentence errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from annotator import client
from segmodel import phantom
from segmodel.volumes import nifti
from tests.client import Client
from tests.site import ROOT, Site

PAINT = """
from annotator import masks
from annotator.annotation import slicemasks
from annotator.annotation.models import Assignment
import numpy as np
case = Assignment.objects.get()
label = case.task.project.labels.get(name="liver")
mask = np.zeros(case.task.series.shape[1:], bool)
mask[10:20, 10:20] = True
slicemasks.save(case.pk, label.pk, 5, 1, 1, masks.encode(mask), None, [], case.person_id)
"""
TOKEN = """
from django.contrib.auth.models import User
from annotator.api import tokens
person = User.objects.get(username={name!r})
print(tokens.make(person, "tests", ["read", "work", "manage"], 1)[1])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("site")) as site:
        site.manage("migrate", "--verbosity", "0")
        site.people("manager", role="manager")
        site.people("annotator", "other")
        site.start_web()
        site.start_jobs()
        yield site


def token(site: Site, name: str) -> str:
    return site.manage("shell", "--no-imports", "-c", TOKEN.format(name=name)).strip().splitlines()[-1]


def run(site: Site, secret: str, *arguments: str, code: int = 0) -> str:
    """What the client prints; it runs where there is no Django."""
    environment = {"ANNOTATOR_URL": site.url, "ANNOTATOR_TOKEN": secret, "PATH": "/usr/bin"}
    command = [sys.executable, "-m", "annotator.client", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_from_a_new_project_to_accepted_masks(site: Site, small_ct, tmp_path: Path) -> None:
    secret = token(site, "manager")
    volume, _, _ = small_ct
    phantom.write_dicom(volume, tmp_path / "ct" / "patient")
    labels = ["--label", "liver=#F0A020", "--label", "spleen=#a371f7"]
    assert re.fullmatch(r"Project \d+: Chain, 2 labels\n", run(site, secret, "projects", "create", "Chain", *labels))
    assert run(site, secret, "import", str(tmp_path / "ct"), "--project", "Chain").startswith("imported: ")

    refused = run(site, secret, "assign", "--project", "Chain", "--to", "annotator", code=2)
    assert refused == "annotator is no member of the project Chain.\n"
    join(site, secret, "annotator")
    assert run(site, secret, "assign", "--project", "Chain", "--to", "annotator,manager", "--spread") in (
        "annotator: 1 cases\nmanager: 0 cases\n",
    )
    waited = run(site, secret, "wait", "--project", "Chain", "--timeout", "0", code=2)
    assert waited.endswith("After 0 s, 0 of 1 cases are accepted.\n")

    site.manage("shell", "--no-imports", "-c", PAINT)
    there = client.Site(site.url, secret)
    (case,) = there.each("assignments/", project=there.project("Chain")["id"])
    client.Site(site.url, token(site, "annotator")).post(f"assignments/{case['id']}/moves/", move="submit")
    there.post(f"assignments/{case['id']}/moves/", move="accept")
    assert run(site, secret, "wait", "--project", "Chain", "--state", "accepted") == "1 of 1 accepted\n"

    out = tmp_path / "masks"
    assert run(site, secret, "export", "--project", "Chain", "--accepted", "--out", str(out)) == f"4 files in {out}\n"
    described = json.loads(next(out.rglob("labels.json")).read_text())
    assert described["project"] == "Chain" and described["masks"][0]["pixels"] == 100
    assert int(np.count_nonzero(nifti.read(next(out.rglob("labels.nii.gz"))).voxels)) == 100
    assert sorted(path.name for path in out.iterdir() if path.is_file()) == ["agreement.csv", "manifest.json"]


def join(site: Site, secret: str, name: str) -> None:
    """By an invitation's link, as in a browser."""
    there = client.Site(site.url, secret)
    link = there.post(f"projects/{there.project('Chain')['id']}/invitations/", role="annotator")["link"]
    person = Client(site.url, name)
    form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', person.get(link.removeprefix(site.url)).decode())
    assert form
    person.opener.open(link, f"csrfmiddlewaretoken={form[1]}".encode(), timeout=60).read()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["projects", "create", "Tests"], "There is a project called Tests already."),
        (["projects", "create", "New", "--label", "liver"], "--label liver is no name=colour, as in liver=#c0504d."),
        (["wait", "--project", "Nowhere"], "You have no project Nowhere."),
        (["import", "/does/not/exist", "--project", "Tests"], "There is no /does/not/exist."),
        (["assign", "--project", "Tests", "--to", "a,b"], "Say --spread to share the cases out among several people."),
    ],
)
def test_an_error_is_one_sentence(site: Site, arguments: list[str], sentence: str) -> None:
    assert run(site, token(site, "manager"), *arguments, code=2) == sentence + "\n"


def test_a_folder_without_a_ct(site: Site, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    refused = run(site, token(site, "manager"), "import", str(tmp_path), "--project", "Tests", code=2)
    assert refused.endswith("No series was imported.\n")


def test_a_wrong_token(site: Site) -> None:
    assert run(site, "ann_nothing", "wait", "--project", "Tests", code=2) == "There is no such token.\n"


def test_no_site(capsys) -> None:
    assert client.main(["--url", "http://127.0.0.1:9", "--token", "x", "wait", "--project", "Tests"]) == 2
    assert capsys.readouterr().err.startswith("http://127.0.0.1:9 does not answer: ")
    assert client.main(["--url", "", "--token", "", "wait", "--project", "Tests"]) == 2
    assert "--url and --token" in capsys.readouterr().err
