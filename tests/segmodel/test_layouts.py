"""Every layout of a data set is found out and read; what is not in order is refused by name."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from segmodel import layouts
from segmodel.dataset import SPLITS, DatasetError, read_case
from segmodel.layouts import read_decathlon
from tests.segmodel.toys import ct_slices, decathlon, save_volume

REPOSITORY = Path(__file__).resolve().parents[2]


def names(cases):
    return [case.name for case in cases]


def describe(folder, **changes):
    """Change fields of dataset.json."""
    file = folder / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


def pairs(folder, *files):
    """Write image and label of these stems: ("images/a", "labels/a"), …"""
    images, labels = ct_slices(1)
    for image, label in files:
        save_volume(folder / f"{image}.nii.gz", images)
        save_volume(folder / f"{label}.nii.gz", labels)
    return folder


def written(folder, text, name="dataset.yaml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def nnunet(folder, cases=("liver_001", "liver_002"), channels=("CT",), **described):
    for case in cases:
        pairs(folder, *((f"imagesTr/{case}_{i:04}", f"labelsTr/{case}") for i in range(len(channels))))
    text = {
        "channel_names": {str(i): name for i, name in enumerate(channels)},
        "labels": {"background": 0, "liver": 1, "tumour": 2},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        **described,
    }
    written(folder, json.dumps(text), "dataset.json")
    return folder


def refusal(source):
    with pytest.raises(DatasetError) as caught:
        layouts.read(source)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------- Decathlon


@pytest.mark.parametrize("read", [read_decathlon, layouts.read])
def test_a_decathlon_folder_is_read_with_its_names_and_files(tmp_path, read):
    dataset = read(decathlon(tmp_path))
    assert dataset.name == "toys"
    assert dataset.structures == dataset.known == {1: "disk", 2: "square"}
    assert names(dataset.cases) == ["ct_00", "ct_01", "ct_02"]
    assert dataset.cases[0].label == tmp_path / "labelsTr" / "ct_00.nii.gz"
    assert (dataset.cases[0].patient, dataset.cases[0].channel) == ("ct_00", None)


def test_its_description_may_be_named_instead(tmp_path):
    folder = decathlon(tmp_path)
    assert layouts.read(folder / "dataset.json") == layouts.read(folder)


def test_every_patient_is_on_one_side_of_the_split_only(tmp_path):
    dataset = layouts.read(decathlon(tmp_path))
    assert names(dataset.part("training")) == ["ct_00", "ct_01"]
    assert names(dataset.part("validation")) == ["ct_02"]


def test_a_split_may_name_files_or_their_last_part(tmp_path):
    folder = decathlon(tmp_path, split={"ct_00": "test", "01": "training", "ct_02": "validation"})
    assert [case.split for case in layouts.read(folder).cases] == ["test", "training", "validation"]


def test_without_a_split_every_case_is_in_every_part(tmp_path):
    dataset = layouts.read(decathlon(tmp_path, split={}))
    assert all(len(dataset.part(part)) == 3 for part in SPLITS)


@pytest.mark.parametrize("split", [{"00": "training", "01": "training"}, {"00": "test", "01": "test", "02": "holdout"}])
def test_a_case_in_no_part_of_the_split_is_refused(tmp_path, split):
    assert refusal(decathlon(tmp_path, split=split)) == "The case ct_02 is in no part of the split."


def test_cases_of_one_patient_stay_together(tmp_path):
    folder = describe(decathlon(tmp_path), patients={"00": "anna", "ct_01": "anna"})
    assert [case.patient for case in layouts.read(folder).cases] == ["anna", "anna", "ct_02"]
    describe(folder, patients={"00": "anna", "02": "anna"})
    assert refusal(folder) == ("The patient anna is on two sides of the split: ct_00 is training, ct_02 is validation.")


def test_a_patient_of_no_case_is_refused(tmp_path):
    folder = describe(decathlon(tmp_path), patients={"0": "anna"})
    assert refusal(folder) == "The patients of toys name the case 0, which is not there."


def test_structures_may_be_called_known_or_unknown(tmp_path):
    folder = decathlon(tmp_path)
    for said in ({"unknown": ["square"]}, {"known": ["disk"]}):
        dataset = read_decathlon(folder, said)
        assert dataset.known == {1: "disk"}
        assert dataset.unknown == {"square"}
        assert dataset.structures == {1: "disk", 2: "square"}


@pytest.mark.parametrize("key", ["known", "unknown"])
def test_an_unknown_structure_that_the_data_set_lacks_is_refused(tmp_path, key):
    assert refusal(describe(decathlon(tmp_path), **{key: ["cube"]})) == "The data set toys has no structure cube."


def test_known_and_unknown_together_are_refused(tmp_path):
    folder = describe(decathlon(tmp_path), known=["disk"], unknown=["square"])
    assert "known or which are unknown, not both." in refusal(folder)


def four_channels(folder):
    """Write one patient whose image holds two channels: the toy's values and half of them."""
    folder = decathlon(folder, {"ct_1": ct_slices(2)}, modality={"0": "T1", "1": "FLAIR"})
    file = folder / "imagesTr" / "ct_1.nii.gz"
    image = nib.load(file)
    data = np.asarray(image.dataobj)
    nib.save(nib.Nifti1Image(np.stack([data, data // 2], axis=-1), image.affine), file)
    return folder


@pytest.mark.parametrize("channel", [1, "1", "FLAIR"])
def test_a_channel_is_chosen_by_number_or_name(tmp_path, channel):
    [case] = layouts.read(describe(four_channels(tmp_path), channel=channel)).cases
    volume, _ = read_case(case)
    np.testing.assert_array_equal(volume.voxels, ct_slices(2)[0] // 2)


def test_several_channels_without_a_choice_are_refused(tmp_path):
    assert refusal(four_channels(tmp_path)) == (
        f"{tmp_path} has the channels T1, FLAIR; a dataset file must choose one."
    )


@pytest.mark.parametrize("channel", [2, "T2", -1])
def test_a_channel_that_is_not_there_is_refused(tmp_path, channel):
    folder = describe(four_channels(tmp_path), channel=channel)
    assert refusal(folder) == f"{tmp_path} has no channel {channel}; its channels are T1, FLAIR."


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"has no dataset\.json\.$"):
        read_decathlon(tmp_path / "nowhere")
    assert refusal(tmp_path / "nowhere") == f"There is no data set {tmp_path / 'nowhere'}."
    assert "is in no known layout" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00"])
@pytest.mark.parametrize("name", ["dataset.json", "dataset.yaml"])
def test_a_description_that_cannot_be_read_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path) == f"{tmp_path / name} is not {'JSON' if name.endswith('json') else 'YAML'}."


@pytest.mark.parametrize(
    "change",
    [
        {"labels": None},
        {"labels": {"liver": 1}},
        {"training": [{"image": "a.nii"}]},
        {"training": 3},
        {"split": ["00"]},
        {"patients": 3},
        {"unknown": 3},
        {"modality": {"first": "CT"}},
    ],
    ids=str,
)
def test_a_description_of_another_layout_is_refused(tmp_path, change):
    folder = describe(decathlon(tmp_path), **change)
    assert refusal(folder) == f"{folder / 'dataset.json'} is not in the Decathlon layout."


@pytest.mark.parametrize("text", ["[1, 2]", "3", "null"])
def test_something_else_instead_of_a_description_is_refused(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    assert refusal(tmp_path) == f"{tmp_path / 'dataset.json'} is not in the Decathlon layout."


def test_a_file_that_is_described_but_not_there_is_refused(tmp_path):
    folder = decathlon(tmp_path)
    (folder / "labelsTr" / "ct_01.nii.gz").unlink()
    assert refusal(folder) == f"{folder / 'dataset.json'} names ct_01.nii.gz, which is not there."


# --------------------------------------------------------------------------------------------------- nnU-Net


def test_an_nnunet_folder_is_read_by_the_names_of_its_files(tmp_path):
    folder = nnunet(tmp_path / "Dataset003_Liver")
    (folder / "imagesTr" / "._liver_001_0000.nii.gz").write_text("what another system left")
    dataset = layouts.read(folder)
    assert dataset.name == "Dataset003_Liver"
    assert dataset.structures == {1: "liver", 2: "tumour"}
    assert names(dataset.cases) == ["liver_001", "liver_002"]
    assert dataset.cases[1].image == folder / "imagesTr" / "liver_002_0000.nii.gz"
    assert dataset.cases[1].label == folder / "labelsTr" / "liver_002.nii.gz"


def test_nnunet_may_list_its_files(tmp_path):
    folder = pairs(tmp_path, ("elsewhere/ct", "elsewhere/seg"))
    entry = {"images": ["elsewhere/ct.nii.gz"], "label": "elsewhere/seg.nii.gz"}
    [case] = layouts.read(nnunet(folder, (), dataset={"anna": entry})).cases
    assert (case.name, case.image) == ("anna", folder / "elsewhere" / "ct.nii.gz")


def test_a_channel_of_nnunet_is_a_file(tmp_path):
    folder = nnunet(tmp_path, channels=("T1", "FLAIR"), channel="FLAIR")
    case = layouts.read(folder).cases[0]
    assert (case.image.name, case.channel) == ("liver_001_0001.nii.gz", None)


def test_regions_are_refused_unless_a_dataset_file_names_values(tmp_path):
    folder = nnunet(tmp_path / "kits", labels={"background": 0, "kidney": [1, 2], "tumour": 2})
    assert "has regions, labels of several values" in refusal(folder)
    file = written(tmp_path, "{folder: kits, labels: {1: kidney, 2: tumour}}", "kits.yaml")
    assert layouts.read(file).structures == {1: "kidney", 2: "tumour"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": {"background": 0, "liver": 1, "ignore": 2}}, "has an ignore label, which cannot be read."),
        ({"file_ending": ".png"}, "the files are .png; only NIfTI can be read."),
        ({"labels": ["liver"]}, "is not in the nnU-Net layout."),
        ({"dataset": {"a": {}}}, "is not in the nnU-Net layout."),
    ],
    ids=str,
)
def test_what_nnunet_has_and_we_have_not_is_refused(tmp_path, change, sentence):
    assert sentence in refusal(nnunet(tmp_path, **change))


# ---------------------------------------------------------------------------------------- BCV and plain pairs


@pytest.mark.parametrize("place", ["", "Training", "RawData/Training"])
def test_bcv_is_read_as_it_is_downloaded(tmp_path, place):
    pairs(tmp_path / place, ("img/img0001", "label/label0001"), ("img/img0010", "label/label0010"))
    dataset = layouts.read(tmp_path)
    assert dataset.name == "BCV"
    assert names(dataset.cases) == ["0001", "0010"]
    assert dataset.cases[1].label == tmp_path / place / "label" / "label0010.nii.gz"
    assert len(dataset.structures) == 13
    assert (dataset.structures[1], dataset.structures[6], dataset.structures[13]) == (
        "spleen", "liver", "left adrenal gland"
    )  # fmt: skip


def test_plain_pairs_need_names_for_their_values(tmp_path):
    folder = pairs(tmp_path, ("images/a", "labels/a"), ("images/b", "labels/b"))
    assert refusal(folder) == f"Nothing names the label values of {folder}; a dataset file must."
    written(folder, "labels: {1: disk, 2: square}")
    dataset = layouts.read(folder)
    assert dataset.name == folder.name
    assert names(dataset.cases) == ["a", "b"]
    assert dataset.structures == {1: "disk", 2: "square"}


@pytest.mark.parametrize(
    ("images", "labels", "files"),
    [
        ("scans/ct_*.nii.gz", "masks/*_seg.nii.gz", ("scans/ct_7", "masks/7_seg")),
        ("*/ct", "*/organs", ("7/ct", "7/organs")),
        ("x[1]/*", "y/*.nii", ("x[1]/7", "y/7")),
    ],
)
def test_the_star_of_a_pattern_stands_for_the_case(tmp_path, images, labels, files):
    folder = pairs(tmp_path, files)
    settings = {
        "layout": "pairs",
        "pairs": {"images": images, "labels": labels},
        "labels": {"1": "disk", "2": "square"},
    }
    [case] = layouts.read(written(folder, json.dumps(settings), "mine.json")).cases
    assert case.name == "7"
    read_case(case)


@pytest.mark.parametrize("lacking", ["image", "label"])
def test_half_a_pair_is_refused(tmp_path, lacking):
    folder = pairs(tmp_path, ("images/a", "labels/a"), ("images/b", "labels/b"))
    written(folder, "labels: {1: disk}")
    (folder / f"{lacking}s" / "b.nii.gz").unlink()
    here = {"image": "a label", "label": "an image"}[lacking]
    assert refusal(folder) == f"The case b of {folder} has {here}, but no {lacking}."


def test_two_files_of_one_case_are_refused(tmp_path):
    folder = pairs(tmp_path, ("images/a", "labels/a"))
    save_volume(folder / "images" / "a.nii", ct_slices(1)[0])
    written(folder, "labels: {1: disk}")
    assert refusal(folder) == f"The case a of {folder} has two files, a.nii and a.nii.gz."


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "label").mkdir()
    assert refusal(tmp_path) == f"{tmp_path} has no images img/img*.nii.gz."


@pytest.mark.parametrize("pattern", ["images/", "*/*", "/scans/*"])
def test_a_pattern_that_names_no_case_is_refused(tmp_path, pattern):
    written(tmp_path, f"pairs: {{images: '{pattern}'}}\nlabels: {{1: disk}}")
    assert "must have one star, for the case" in refusal(tmp_path)


# ------------------------------------------------------------------------------------------- the dataset file

ABDOMEN = """
name: abdomen
folder: ../raw
labels: {1: disk, 2: square}
split: {0001: training, 0010: training, 0012: test}
patients: {0001: anna, 0010: anna}
unknown: [square]
"""


def test_a_dataset_file_says_what_the_layout_leaves_open(tmp_path):
    pairs(tmp_path / "raw", *((f"img/img{n}", f"label/label{n}") for n in ("0001", "0010", "0012")))
    dataset = layouts.read(written(tmp_path / "sets", ABDOMEN, "abdomen.yaml"))
    assert dataset.name == "abdomen"
    assert dataset.known == {1: "disk"}
    assert [(case.name, case.split, case.patient) for case in dataset.cases] == [
        ("0001", "training", "anna"),
        ("0010", "training", "anna"),
        ("0012", "test", "0012"),
    ]


def test_the_example_of_the_manual_is_a_dataset_file(tmp_path):
    text = (REPOSITORY / "docs" / "data.md").read_text().split("```yaml\n")[1].split("```")[0]
    pairs(tmp_path / "raw", *((f"scans/ct_{i:04}", f"masks/{i:04}_organs") for i in range(1, 5)))
    dataset = layouts.read(written(tmp_path / "sets", text))
    assert sorted(dataset.known.values()) == ["liver", "spleen"]
    assert [case.patient for case in dataset.part("training")] == ["anna", "anna"]
    assert {key for key in layouts.SETTINGS if f"\n{key}: " not in f"\n{text}"} == {"known"}


def test_a_dataset_file_goes_before_the_description_of_the_layout(tmp_path):
    decathlon(tmp_path / "raw")
    settings = {"folder": "raw", "name": "mine", "labels": {"1": "round", "2": "square"}, "split": {}}
    dataset = layouts.read(written(tmp_path, json.dumps(settings), "mine.json"))
    assert dataset.name == "mine"
    assert dataset.structures == {1: "round", 2: "square"}
    assert [case.split for case in dataset.cases] == ["all"] * 3
    assert [case.dataset for case in dataset.cases] == ["mine"] * 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("splits: {a: test}", "a dataset file has no setting 'splits'."),
        ("split: [a, b]", "split cannot be ['a', 'b']."),
        ("unknown: square", "unknown cannot be 'square'."),
        ("labels: {liver: 1}", "labels are whole numbers with their structures."),
        ("layout: dicom", "There is no layout 'dicom'; known are decathlon, nnunet, bcv, pairs."),
        ("folder: nowhere", "There is no data set "),
        ("a sentence", "is not a dataset file."),
        ("layout: bcv", "has no folders img and label."),
        ("layout: pairs\nlabels: {1: disk}\npairs: {images: [a]}", "is not in the pairs layout."),
    ],
)
def test_a_dataset_file_that_makes_no_sense_is_refused(tmp_path, text, sentence):
    assert sentence in refusal(written(tmp_path, text))
