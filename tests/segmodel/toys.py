"""Small made-up pictures, networks and data sets for the tests of segmodel."""

import json

import numpy as np
import torch

from segmodel.checkpoint import Checkpoint
from segmodel.dataset import GridSlices
from segmodel.grid import Grid
from segmodel.inputs import InputSpec
from segmodel.intensity import Intensity
from segmodel.networks import build
from segmodel.volumes import Geometry, Volume, nifti

ENCODE_ONCE = {"name": "encode_once", "width": 4, "click_width": 4, "fine_width": 4}
UNET = {"name": "unet", "width": 4}


def disk(shape, centre, radius):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def rectangle(shape, rows, columns):
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def ct_slices(count=6, side=64, seed=0):
    """Return int16 images and labels [n, y, x]: a bright disk (1) and a dark square (2) in noise, on a middle grey."""
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(30, 15, (count, side, side)), np.zeros((count, side, side), np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = rng.integers(side // 4, 3 * side // 4, 2)
        label[disk(label.shape, (y, x), side / 8)] = 1
        y, x = rng.integers(0, 3 * side // 4, 2)
        label[y : y + side // 5, x : x + side // 5] = 2
        image += 90 * (label == 1) - 80 * (label == 2)
    return images.astype(np.int16), labels


def grid_slices(count=6, side=64, seed=0):
    images, labels = ct_slices(count, side, seed)
    return GridSlices(images, labels, ("disk", "square"), tuple(f"patient {i // 2}" for i in range(count)))


def checkpoint(architecture=ENCODE_ONCE, grid=None, seed=0):
    """Return an untrained network whose batch normalisations have lived, so that folding them in is no identity."""
    torch.manual_seed(seed)
    options = dict(architecture)
    network = build(options.pop("name"), **options)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.running_var, module.weight):
                torch.nn.init.uniform_(values, 0.5, 2)
            for values in (module.running_mean, module.bias):
                torch.nn.init.uniform_(values, -0.3, 0.3)
    with torch.no_grad():  # about half of the pixels become foreground
        network.head.bias -= network.eval()(torch.randn(1, 1, 64, 64), torch.zeros(1, 2, 64, 64)).median()
    inputs = InputSpec(grid or Grid(1.6, network.multiple), Intensity(-125, 275, 30, 60), 2.0)
    return Checkpoint(network.eval(), dict(architecture), inputs, {"steps": 0}, {"dice": 0.5})


def save_volume(path, voxels, spacing=(3.0, 1.0, 1.0)):
    """Write [z, y, x] as NIfTI that is read back in the same order."""
    z, y, x = spacing
    path.parent.mkdir(parents=True, exist_ok=True)
    nifti.write(path, Volume(voxels.astype(np.int16), Geometry(np.diag([-x, -y, z, 1.0]), voxels.shape[::-1])))
    return path


def decathlon(folder, cases=None, spacing=(3.0, 1.0, 1.0), **described):
    """Write {name: (image, label)} as a Decathlon folder; without cases three patients of two slices each."""
    images, labels = ct_slices()
    if cases is None:
        cases = {f"ct_{i:02}": (images[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2]) for i in range(3)}
        described.setdefault("split", {"00": "training", "01": "training", "02": "validation"})
    for name, pair in cases.items():
        for part, voxels in zip(("imagesTr", "labelsTr"), pair, strict=True):
            save_volume(folder / part / f"{name}.nii.gz", voxels, spacing)
    training = [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in cases]
    labels = {"0": "background", "1": "disk", "2": "square"}
    text = {"name": "toys", "labels": labels, "training": training, **described}
    (folder / "dataset.json").write_text(json.dumps(text))
    return folder
