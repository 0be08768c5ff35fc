"""The ground truth of a project as one zip: what is in it, what is not, and who gets it."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile

import nibabel
import numpy as np

from annotator import streams
from annotator.annotation import progress, truthfiles
from annotator.annotation.models import Assignment, ModelVersion, Project
from annotator.events.models import Event
from tests.annotator.factories import Cast, box, make_double, outline
from tests.annotator.test_api import logged_in

S = Assignment.State


def accept(cast: Cast, case: Assignment) -> None:
    progress.start(case.person, case)
    progress.make("submit", case.person, case)
    progress.make("accept", cast.rob, case)


def unpacked(project: Project) -> tuple[zipfile.ZipFile, dict]:
    packed = zipfile.ZipFile(io.BytesIO(b"".join(truthfiles.pieces(project))))
    return packed, json.loads(packed.read("manifest.json"))


def test_a_folder_for_every_accepted_case_and_a_manifest(cast: Cast) -> None:
    outline(cast.alices, cast.liver, box((1, 3), (1, 4), (2, 7)))
    version = ModelVersion.objects.create(name="paper", sha256="f" * 64, path="default")
    cast.alices.masks.update(model_version=version)
    accept(cast, cast.alices)
    packed, manifest = unpacked(cast.project)
    (case,) = manifest["cases"]
    folder = f"case-{cast.alices.task_id}-Abdomen"
    assert packed.testzip() is None
    assert packed.namelist() == [f"{folder}/labels.nii.gz", f"{folder}/labels.json", "agreement.csv", "manifest.json"]
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(packed.read(f"{folder}/labels.nii.gz")))
    assert np.count_nonzero(np.asarray(image.dataobj)) == 2 * 3 * 5
    assert (case["folder"], case["series_uid"]) == (folder, cast.alices.task.series.uid)
    assert (case["kind"], case["people"], case["accepted_by"]) == ("reading", ["alice"], "rob")
    assert case["model_versions"] == [{"name": "paper", "sha256": "f" * 64}]
    assert [label["value"] for label in manifest["labels"]] == [1, 2]


def test_of_two_readings_only_what_was_made_of_them_is_in_it(cast: Cast) -> None:
    first, second = make_double(cast.project, cast.alice, cast.bob)
    Assignment.objects.filter(pk__in=(first.pk, second.pk)).update(state=S.ACCEPTED)
    assert unpacked(cast.project)[1]["cases"] == []
    made = Assignment.objects.create(task=first.task, person=cast.rob, kind="adjudication", state=S.ACCEPTED)
    (case,) = unpacked(cast.project)[1]["cases"]
    assert (case["assignment"], case["people"]) == (made.pk, ["alice", "bob", "rob"])
    assert case["accepted_by"] is None  # a rule did it


def test_checks_and_unaccepted_work_are_not_in_it(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(kind="check", state=S.ACCEPTED)
    Assignment.objects.filter(pk=cast.bobs.pk).update(state=S.SUBMITTED)
    assert unpacked(cast.project)[1]["cases"] == []


def test_the_button_and_the_record(cast: Cast) -> None:
    maria = logged_in(cast.maria)
    address = f"/projects/{cast.project.pk}/export/"
    assert "nothing to export" in maria.get(address, follow=True).content.decode()
    accept(cast, cast.alices)
    assert address in maria.get(f"/projects/{cast.project.pk}/").content.decode()
    assert address not in logged_in(cast.rob).get(f"/projects/{cast.project.pk}/").content.decode()
    answer = maria.get(address)
    assert answer["Content-Disposition"] == 'attachment; filename="abdomen-ground-truth.zip"'
    assert zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()[-1] == "manifest.json"
    noted = Event.objects.get(verb="exported")
    assert (noted.person, noted.details) == ("maria", {"what": "ground truth", "cases": 1})


def test_a_stream_sends_each_piece_before_the_next_is_made() -> None:
    made: list[int] = []

    def pieces():
        for number in range(3):
            made.append(number)
            yield bytes([number])

    async def read() -> list[int]:
        answer = streams.download(pieces(), "three.bin", "application/octet-stream")
        return [len(made) async for _ in answer]

    assert asyncio.run(read()) == [1, 2, 3]
