"""Label sets: changed label by label, brought from files of other programs and from other projects, kept where masks are."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from annotator import masks
from annotator.annotation import history, labelfiles, labelsets
from annotator.annotation.labelsets import Entry, LabelRefused
from annotator.annotation.models import Label, Project, SliceMask
from annotator.events.models import Event
from annotator.protocol import AddClick
from tests.annotator.factories import SHAPE, Cast, make_project
from tests.annotator.test_api import logged_in

SLICER = b"# Color table file\n0 background 0 0 0 0\n1 Liver 221 130 101 255\n7 left_kidney 185 102 83 255\n"
ITKSNAP = b"""\
# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    2   255    0    0        1  1  1    "left kidney"
   70     0  255    0      0.5  1  0    "IVC"
"""


def spleen(**fields: object) -> dict[str, object]:
    return {"name": "aorta", "colour": "#e5484d", "hotkey": "", "snomed": "", "locked": False} | fields


def click(cast: Cast) -> None:
    """Alice works on the liver."""
    history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 1, 2, 3, True))
    mask = masks.empty(*SHAPE[1:])
    SliceMask.objects.create(
        assignment=cast.alices, label=cast.liver, z=1, sequence=1, since=1, mask=mask, pixels=1, person=cast.alice
    )


# ---------------------------------------------------------------------------------------------------- label by label


def test_a_manager_adds_a_label(cast: Cast) -> None:
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/labels/"
    sent = {"name": " Aorta ", "colour": "#E5484D", "hotkey": "o", "snomed": "15825003", "locked": "on"}
    assert client.post(address, sent).status_code == 302
    label = cast.project.labels.get(name="Aorta")
    assert (label.value, label.colour, label.hotkey, label.snomed, label.locked) == (
        3,
        "#e5484d",
        "O",
        "15825003",
        True,
    )
    page = client.get(address).content.decode()
    assert "Aorta" in page and "15825003" in page and "begins locked" in page
    assert Event.objects.get(kind="label").verb == "created"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "LIVER"}, "There is a label LIVER already."),
        ({"name": " "}, "A label has a name of 1 to 64 characters."),
        ({"colour": "#C0504D"}, "The label liver has this colour already."),
        ({"colour": "red"}, "A colour is written #rrggbb"),
        ({"hotkey": "k"}, "The label liver has the hotkey K already."),
        ({"hotkey": " "}, "A hotkey is one letter, digit or sign."),
        ({"hotkey": "ß"}, "A hotkey is one letter, digit or sign."),
        ({"snomed": "10200005"}, "10200005 is no SNOMED CT code"),
        ({"snomed": "12345"}, "6 to 18 digits"),
    ],
)
def test_what_no_label_may_be(cast: Cast, fields: dict[str, str], sentence: str) -> None:
    Label.objects.filter(pk=cast.liver.pk).update(hotkey="K")
    with pytest.raises(LabelRefused, match=sentence):
        labelsets.add(cast.project, cast.maria, **spleen(**fields))
    assert cast.project.labels.count() == 2
    with pytest.raises(LabelRefused, match=sentence):
        labelsets.change(cast.spleen, cast.maria, **fields)
    assert Label.objects.get(pk=cast.spleen.pk).name == "spleen"


@pytest.mark.parametrize("code", ["10200004", "15825003", "78961009", "9846003", "900000000000207008"])
def test_real_snomed_codes_are_codes(code: str) -> None:
    assert labelsets.is_snomed(code)


@given(st.integers(10_000, 10**16), st.integers(0, 20))
def test_one_digit_that_is_wrong_is_noticed(number: int, place: int) -> None:
    code = next(f"{number}{digit}" for digit in range(10) if labelsets.is_snomed(f"{number}{digit}"))
    place %= len(code)
    others = [code[:place] + digit + code[place + 1 :] for digit in "0123456789" if digit != code[place]]
    assert not any(labelsets.is_snomed(other) for other in others)


def test_a_label_that_has_masks_changes_after_a_question(cast: Cast) -> None:
    click(cast)
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/labels/{cast.liver.pk}/"
    sent = {"name": "hepar", "colour": "#c0504d", "hotkey": "", "snomed": ""}
    page = client.post(address, sent).content.decode()
    assert "liver has 1 mask in 1 case." in page and Label.objects.filter(name="liver", pk=cast.liver.pk).exists()
    assert client.post(address, sent | {"confirmed": "on"}).status_code == 302
    assert Label.objects.get(pk=cast.liver.pk).name == "hepar"


def test_a_key_needs_no_question(cast: Cast) -> None:
    click(cast)
    sent = {"name": "liver", "colour": "#c0504d", "hotkey": "o", "snomed": ""}
    address = f"/projects/{cast.project.pk}/labels/{cast.liver.pk}/"
    assert logged_in(cast.maria).post(address, sent).status_code == 302
    assert Label.objects.get(pk=cast.liver.pk).hotkey == "O"


def test_labels_move_up_and_down(cast: Cast) -> None:
    labelsets.add(cast.project, cast.maria, **spleen())
    client = logged_in(cast.maria)
    client.post(f"/projects/{cast.project.pk}/labels/{cast.liver.pk}/move/", {"steps": "1"})
    assert [label.name for label in cast.project.labels.all()] == ["spleen", "liver", "aorta"]
    client.post(f"/projects/{cast.project.pk}/labels/{cast.liver.pk}/move/", {"steps": "-9"})
    assert [label.name for label in cast.project.labels.all()] == ["liver", "spleen", "aorta"]
    case = logged_in(cast.alice).get(f"/api/assignments/{cast.alices.pk}/").json()
    assert [label["name"] for label in case["labels"]] == ["liver", "spleen", "aorta"]


def test_a_label_without_work_is_deleted(cast: Cast) -> None:
    logged_in(cast.maria).post(f"/projects/{cast.project.pk}/labels/{cast.spleen.pk}/delete/")
    assert not Label.objects.filter(pk=cast.spleen.pk).exists()
    assert Event.objects.get(verb="deleted").thing == "spleen"


def test_a_label_with_work_stays(cast: Cast) -> None:
    click(cast)
    address = f"/projects/{cast.project.pk}/labels/{cast.liver.pk}/delete/"
    page = logged_in(cast.maria).post(address, follow=True).content.decode()
    assert "The label liver has 1 interaction and 1 mask by alice, so it cannot be deleted." in page
    assert Label.objects.filter(pk=cast.liver.pk).exists()


def test_a_label_of_another_project_is_not_there(cast: Cast) -> None:
    foreign = cast.elsewhere.labels.get(name="liver")
    for page in ("", "move/", "delete/"):
        address = f"/projects/{cast.project.pk}/labels/{foreign.pk}/{page}"
        assert logged_in(cast.maria).post(address, {"steps": "1"}).status_code == 404


# ---------------------------------------------------------------------------------------------------- files


def test_the_files_of_both_programs_are_read() -> None:
    assert labelfiles.parse(SLICER) == [Entry(1, "Liver", "#dd8265"), Entry(7, "left kidney", "#b96653")]
    assert labelfiles.parse(ITKSNAP) == [Entry(2, "left kidney", "#ff0000"), Entry(70, "IVC", "#00ff00")]
    assert labelfiles.parse(b"\xef\xbb\xbf" + SLICER.replace(b"\n", b"\r\n")) == labelfiles.parse(SLICER)


NAMES = st.text(st.characters(categories=["L", "N", "P"], exclude_characters='"_#'), min_size=1, max_size=12)
WORDS = st.lists(NAMES, min_size=1, max_size=3).map(" ".join)
COLOURS = st.integers(0, 2**24 - 1).map(lambda number: f"#{number:06x}")
ENTRIES = st.lists(st.builds(Entry, st.integers(1, 32767), WORDS, COLOURS), min_size=1, max_size=20)


@given(ENTRIES)
def test_what_is_written_is_read_again(entries: list[Entry]) -> None:
    assert labelfiles.parse(labelfiles.write_slicer(entries).encode()) == entries
    assert labelfiles.parse(labelfiles.write_itksnap(entries).encode()) == entries


@given(st.binary(max_size=200))
def test_any_other_file_gets_a_sentence(content: bytes) -> None:
    try:
        assert labelfiles.parse(content)
    except LabelRefused as refused:
        assert str(refused).endswith(".")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There is no label in this file."),
        (b"0 background 0 0 0 0", "There is no label in this file."),
        (b"\xff\xfe", "The file is no text in UTF-8."),
        (b"1 liver 0 0 0 255\nhello", "Line 2 is neither of a 3D Slicer colour table"),
        (b"1 liver 256 0 0 255", "Line 1 is neither"),
        (b"# " + b"x" * labelfiles.LARGEST_FILE, "larger than 256 KiB"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(LabelRefused, match=sentence):
        labelfiles.parse(content)


def test_a_file_is_looked_at_before_its_labels_are_added(cast: Cast) -> None:
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/labels/take/"
    page = client.post(address, {"file": SimpleUploadedFile("organs.ctbl", SLICER)})
    assert page.status_code == 200 and cast.project.labels.count() == 2
    text = page.content.decode()
    assert "1 label would be added." in text and "These names stay as they are: Liver." in text
    answer = client.post(address, {"content": SLICER.decode(), "project": "", "sure": "1"}, follow=True)
    assert "1 label was added." in answer.content.decode()
    kidney = cast.project.labels.last()
    assert kidney and (kidney.name, kidney.value, kidney.colour) == ("left kidney", 7, "#b96653")
    assert Event.objects.get(verb="added labels").details == {"labels": ["left kidney"]}
    assert Label.objects.get(pk=cast.liver.pk).colour == "#c0504d"


def test_what_is_taken_is_replaced_and_said(cast: Cast) -> None:
    entries = [Entry(1, "aorta", "#c0504d", "A"), Entry(70000, "IVC", "#000001", "A"), Entry(9, "ivc", "#000002")]
    proposal = labelsets.propose(cast.project, entries)
    assert [(label.name, label.value, label.hotkey) for label in proposal.labels] == [("aorta", 3, "A"), ("IVC", 4, "")]
    assert proposal.kept == ["ivc"]
    assert proposal.notes == [
        "aorta gets the value 3, as 1 is not free.",
        "aorta gets another colour, as #c0504d is taken.",
        "IVC gets the value 4, as 70000 is not free.",
    ]


def test_a_thousand_labels_are_too_many(cast: Cast) -> None:
    content = labelfiles.write_slicer(Entry(i, f"part {i}", f"#{i:06x}") for i in range(1, 1001))
    address = f"/projects/{cast.project.pk}/labels/take/"
    page = logged_in(cast.maria).post(address, {"content": content, "sure": "1"}, follow=True).content.decode()
    assert "A project may have 250 labels; with these it would have 1002." in page
    assert cast.project.labels.count() == 2


def test_the_labels_of_another_project_come_with_keys_and_codes(cast: Cast) -> None:
    other = make_project("Thorax", {cast.maria: "manager"})
    labelsets.add(other, cast.maria, name="heart", colour="#ff0000", hotkey="W", snomed="80891009", locked=True)
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/labels/take/"
    assert "heart" in client.post(address, {"project": str(other.pk)}).content.decode()
    client.post(address, {"project": str(other.pk), "sure": "1"})
    heart = cast.project.labels.get(name="heart")
    assert (heart.hotkey, heart.snomed, heart.locked, heart.value) == ("W", "80891009", True, 3)


def test_but_not_of_a_project_that_is_not_mine(cast: Cast) -> None:
    address = f"/projects/{cast.project.pk}/labels/take/"
    for other in (cast.elsewhere.pk, "x", 999):
        assert logged_in(cast.maria).post(address, {"project": str(other)}).status_code == 404


def test_the_label_set_is_exported(cast: Cast) -> None:
    client = logged_in(cast.maria)
    for kind in ("ctbl", "label"):
        response = client.get(f"/projects/{cast.project.pk}/labels/export.{kind}")
        assert response["Content-Disposition"] == f'attachment; filename="abdomen.{kind}"'
        assert labelfiles.parse(response.content) == labelsets.entries_of(cast.project)
    assert client.get(f"/projects/{cast.project.pk}/labels/export.exe").status_code == 404


def test_colours_do_not_run_out(db: None) -> None:
    taken: set[str] = set()
    for _ in range(labelsets.MOST_LABELS):
        taken.add(labelsets.free_colour(taken))
    assert len(taken) == labelsets.MOST_LABELS and Project.objects.count() == 0
