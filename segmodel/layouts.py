"""Where labelled data lie: the folder layouts that are read, and the dataset file that describes any of them.

Medical Segmentation Decathlon, nnU-Net v2 raw, BCV "Beyond the Cranial Vault", and plain folders of pairs. NIfTI only.
A dataset file (YAML or JSON) says where the folder is and what the layout leaves open; docs/data.md shows one.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .clicks import Click
from .dataset import SPLITS, Case, Dataset, DatasetError

BCV_STRUCTURES = {
    1: "spleen",
    2: "right kidney",
    3: "left kidney",
    4: "gallbladder",
    5: "esophagus",
    6: "liver",
    7: "stomach",
    8: "aorta",
    9: "inferior vena cava",
    10: "portal vein and splenic vein",
    11: "pancreas",
    12: "right adrenal gland",
    13: "left adrenal gland",
}

SETTINGS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "layout": str,
    "folder": str,  # relative to the dataset file
    "channel": (int, str),  # number or name
    "labels": dict,  # value: structure
    "split": dict,  # case: part
    "patients": dict,  # case: patient
    "known": list,  # structures; all others are unknown
    "unknown": list,
    "pairs": dict,  # images: pattern, labels: pattern
}
DATASET_FILES = ("dataset.yaml", "dataset.yml", "dataset.json")

T = TypeVar("T")
Files = tuple[str, Path, Path]  # case, image, label


def read(source: Path) -> Dataset:
    """The data set of a folder, whose layout is found out, or of a dataset file (YAML or JSON). Raises DatasetError.

    A folder's own `dataset.yaml`, `dataset.yml`, or `dataset.json` with a `layout` is a dataset file too.
    """
    file = next((source / name for name in DATASET_FILES if (source / name).is_file()), None)
    file = source if source.is_file() else file
    if file is None:
        return _read_folder(source, {})
    settings = _load(file)
    if file.name == "dataset.json" and not (isinstance(settings, dict) and "layout" in settings):
        return _read_folder(file.parent, {})  # it is the layout's own description
    _check_settings(settings, file)
    return _read_folder(file.parent / settings.get("folder", "."), settings)


def _read_folder(folder: Path, settings: Mapping[str, Any]) -> Dataset:
    if not folder.is_dir():
        raise DatasetError(f"There is no data set {folder}.")
    layout = settings.get("layout") or ("pairs" if "pairs" in settings else _layout_of(folder))
    if layout not in LAYOUTS:
        raise DatasetError(f"There is no layout {layout!r}; known are {', '.join(LAYOUTS)}.")
    with _described_as(layout, folder):
        return LAYOUTS[layout](folder, settings)


def _layout_of(folder: Path) -> str:
    if (folder / "dataset.json").is_file():
        described = _load(folder / "dataset.json")
        return "nnunet" if isinstance(described, dict) and "channel_names" in described else "decathlon"
    if _bcv_root(folder):
        return "bcv"
    if (folder / "images").is_dir() and (folder / "labels").is_dir():
        return "pairs"
    raise DatasetError(f"{folder} is in no known layout: it has no dataset.json or dataset.yaml, nor img and label.")


def _load(file: Path) -> Any:
    """What a JSON or YAML file holds; all scalars of YAML are text, since case 0010 is not the number 8."""
    kind = "JSON" if file.suffix == ".json" else "YAML"
    try:
        text = file.read_text()
        return json.loads(text) if kind == "JSON" else yaml.load(text, yaml.BaseLoader)
    except FileNotFoundError:
        raise DatasetError(f"{file.parent} has no {file.name}.") from None
    except (json.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError):
        raise DatasetError(f"{file} is not {kind}.") from None


def _check_settings(settings: Any, file: Path) -> None:
    if not isinstance(settings, dict):
        raise DatasetError(f"{file} is not a dataset file.")
    for name, value in settings.items():
        if name not in SETTINGS:
            raise DatasetError(f"{file}: a dataset file has no setting {name!r}.")
        if not isinstance(value, SETTINGS[name]):
            raise DatasetError(f"{file}: {name} cannot be {value!r}.")
    if not all(str(value).isdecimal() for value in settings.get("labels", {})):
        raise DatasetError(f"{file}: labels are whole numbers with their structures.")


@contextmanager
def _described_as(layout: str, source: Path) -> Iterator[None]:
    """Whatever is not where the layout wants it becomes one sentence."""
    try:
        yield
    except DatasetError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise DatasetError(f"{source} is not in the {layout} layout.") from None


# ------------------------------------------------------------------------------------------------------- the layouts


def read_decathlon(folder: Path, settings: Mapping[str, Any] | None = None) -> Dataset:
    """The data set described by `folder/dataset.json`; its optional `split` maps a case to a part. Raises DatasetError.

    It may also hold `patients`, `known`, `unknown` and `channel`, as a dataset file does; `settings` go before it.
    """
    file = folder / "dataset.json"
    own = _load(file)
    with _described_as("Decathlon", file):
        described = {**own, **(settings or {})}
        pairs = [(folder / entry["image"], folder / entry["label"]) for entry in described["training"]]
        files = [(_stem(image.name), image, label) for image, label in pairs]
        channels = _in_order(described.get("modality", {}))
        chosen = _channel(described, channels, folder)
        return _dataset(folder, files, described["labels"], described, chosen)


def _read_nnunet(folder: Path, settings: Mapping[str, Any]) -> Dataset:
    """nnU-Net v2 raw data: imagesTr/CASE_0000.nii.gz, a file for each channel, and labelsTr/CASE.nii.gz."""
    file = folder / "dataset.json"
    own = _load(file)
    with _described_as("nnU-Net", file):
        described = {**own, **settings}
        if described["file_ending"] not in (".nii", ".nii.gz"):
            raise DatasetError(f"{file}: the files are {described['file_ending']}; only NIfTI can be read.")
        channel = _channel(described, _in_order(described["channel_names"]), folder) or 0
        labels = settings["labels"] if "labels" in settings else _nnunet_labels(own["labels"], file)
        if "dataset" in described:
            files = [
                (case, folder / entry["images"][channel], folder / entry["label"])
                for case, entry in described["dataset"].items()
            ]
        else:
            files = _pairs(folder, f"imagesTr/*_{channel:04}", "labelsTr/*")
        return _dataset(folder, files, labels, described, None)


def _nnunet_labels(labels: Mapping[str, Any], file: Path) -> dict[int, str]:
    if any(isinstance(value, list) for value in labels.values()):
        raise DatasetError(
            f"{file} has regions, labels of several values, which may overlap; name single values in a dataset file."
        )
    if "ignore" in labels:
        raise DatasetError(f"{file} has an ignore label, which cannot be read.")
    return {int(value): name for name, value in labels.items()}


def _bcv_root(folder: Path) -> Path | None:
    """Where img and label are: here, or where the downloaded archive has them."""
    roots = (folder, folder / "Training", folder / "RawData" / "Training")
    return next((root for root in roots if (root / "img").is_dir() and (root / "label").is_dir()), None)


def _read_bcv(folder: Path, settings: Mapping[str, Any]) -> Dataset:
    """BCV as it is downloaded: img/img0001.nii.gz and label/label0001.nii.gz; the case is 0001."""
    root = _bcv_root(folder)
    if root is None:
        raise DatasetError(f"{folder} has no folders img and label.")
    files = _pairs(root, "img/img*", "label/label*")
    return _dataset(root, files, settings.get("labels", BCV_STRUCTURES), {"name": "BCV", **settings})


def _read_pairs(folder: Path, settings: Mapping[str, Any]) -> Dataset:
    """Images and labels that share what the star of a pattern stands for; images/* and labels/* if none is given."""
    if "labels" not in settings:
        raise DatasetError(f"Nothing names the label values of {folder}; a dataset file must.")
    patterns = {"images": "images/*", "labels": "labels/*", **settings.get("pairs", {})}
    files = _pairs(folder, patterns["images"], patterns["labels"])
    return _dataset(folder, files, settings["labels"], settings)


LAYOUTS: dict[str, Callable[[Path, Mapping[str, Any]], Dataset]] = {
    "decathlon": read_decathlon,
    "nnunet": _read_nnunet,
    "bcv": _read_bcv,
    "pairs": _read_pairs,
}

# -------------------------------------------------------------------------------------------- what the layouts share


def _pairs(folder: Path, images: str, labels: str) -> list[Files]:
    found, drawn = _matching(folder, images), _matching(folder, labels)
    if not found:
        raise DatasetError(f"{folder} has no images {images}.nii.gz.")
    for case in sorted(found.keys() ^ drawn.keys()):
        here, lacking = ("an image", "label") if case in found else ("a label", "image")
        raise DatasetError(f"The case {case} of {folder} has {here}, but no {lacking}.")
    return [(case, image, drawn[case]) for case, image in found.items()]


def _matching(folder: Path, pattern: str) -> dict[str, Path]:
    """{what the star stands for: file} of a pattern with or without its .nii.gz; files that start with a dot do not count."""
    before, star, after = _stem(pattern).partition("*")
    if not star or "*" in after or pattern.startswith("/"):
        raise DatasetError(f"The pattern {pattern!r} must have one star, for the case, and be relative to the folder.")
    found: dict[str, Path] = {}
    for file in sorted(folder.glob(f"{glob.escape(before)}*{glob.escape(after)}.nii*")):
        if file.name.startswith(".") or not file.name.endswith((".nii", ".nii.gz")):
            continue
        name = _stem(file.relative_to(folder).as_posix())
        case = name[len(before) : len(name) - len(after)]
        if case in found:
            raise DatasetError(f"The case {case} of {folder} has two files, {found[case].name} and {file.name}.")
        found[case] = file
    return found


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".nii")


def _in_order(channels: Mapping[str, str]) -> list[str]:
    return [str(channels[number]) for number in sorted(channels, key=int)]


def _channel(described: Mapping[str, Any], channels: Sequence[str], folder: Path) -> int | None:
    """The number of the channel that is taken; None where there is only one."""
    if "channel" not in described:
        if len(channels) > 1:
            raise DatasetError(f"{folder} has the channels {', '.join(channels)}; a dataset file must choose one.")
        return None
    chosen = str(described["channel"])
    if chosen in channels:
        return channels.index(chosen)
    if not chosen.isdecimal() or (channels and int(chosen) >= len(channels)):
        raise DatasetError(f"{folder} has no channel {chosen}; its channels are {', '.join(channels) or 'numbers'}.")
    return int(chosen)


def _dataset(
    folder: Path,
    files: Iterable[Files],
    labels: Mapping[Any, str],
    described: Mapping[str, Any],
    channel: int | None = None,
) -> Dataset:
    """`described` may hold name, split, patients, known, unknown and clicks."""
    name = str(described.get("name", folder.name))
    structures = {int(value): str(structure) for value, structure in labels.items() if int(value) != 0}
    unknown = _unknown(name, structures, described)
    split, patients = ({str(k): str(v) for k, v in described.get(key, {}).items()} for key in ("split", "patients"))
    clicks: Mapping[str, Any] = described.get("clicks", {})
    cases = []
    for case, image, label in files:
        for file in (image, label):
            if not file.is_file():
                raise DatasetError(f"{folder / 'dataset.json'} names {file.name}, which is not there.")
        part = _entry(split, case, image) if split else "all"
        if part is None or (split and part not in SPLITS):
            raise DatasetError(f"The case {case} is in no part of the split.")
        patient = _entry(patients, case, image) or case
        made = _clicks(case, _entry(clicks, case, image) or {})
        cases.append(Case(case, image, label, part, patient, channel, frozenset(structures), name, made))
    _check_named(name, "patients", patients, cases)
    _check_named(name, "clicks", clicks, cases)
    return Dataset(name, tuple(cases), structures, unknown)


def _keys(case: str, image: Path) -> tuple[str, str, str]:
    """A case may be called by its name, by that name's last part (`btcv_0005` → `0005`), or by its image's file name."""
    return case, case.rsplit("_", 1)[-1], _stem(image.name)


def _entry(table: Mapping[str, T], case: str, image: Path) -> T | None:
    return next((table[key] for key in _keys(case, image) if key in table), None)


def _clicks(case: str, rows: Mapping[str, Any]) -> dict[int, dict[int, tuple[Click, ...]]]:
    """The clicks of a case by slice and label value. Raises DatasetError."""
    try:
        return {
            int(z): {
                int(value): tuple(Click(int(y), int(x), bool(p)) for y, x, p in made) for value, made in row.items()
            }
            for z, row in rows.items()
        }
    except (AttributeError, TypeError, ValueError):
        raise DatasetError(f"The clicks of case {case} are not [y, x, positive] by slice and label value.") from None


def _check_named(name: str, what: str, table: Mapping[str, Any], cases: Sequence[Case]) -> None:
    """A misspelt case would be taken for a patient of its own."""
    called = {key for case in cases for key in _keys(case.name, case.image)}
    for case in table:
        if case not in called:
            raise DatasetError(f"The {what} of {name} name the case {case}, which is not there.")


def _unknown(name: str, structures: Mapping[int, str], described: Mapping[str, Any]) -> frozenset[str]:
    if "known" in described and "unknown" in described:
        raise DatasetError(f"The data set {name} may say which structures are known or which are unknown, not both.")
    called = frozenset(str(structure) for structure in described.get("known", described.get("unknown", [])))
    for structure in sorted(called - set(structures.values())):
        raise DatasetError(f"The data set {name} has no structure {structure}.")
    return frozenset(structures.values()) - called if "known" in described else called
