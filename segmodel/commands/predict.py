"""python -m segmodel predict"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import arguments


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("predict", help="the mask of clicks on one slice of a volume")
    parser.add_argument("volume", type=Path, help="NIfTI file, or a folder with one DICOM series")
    parser.add_argument("--slice", type=int, required=True, help="z of the stored volume, from feet to head")
    parser.add_argument("--foreground", type=_point, nargs="+", default=[], metavar="Y,X", help="clicks inside")
    parser.add_argument("--background", type=_point, nargs="*", default=[], metavar="Y,X", help="clicks outside")
    parser.add_argument("--model", default="default", help="default, or a checkpoint file")
    arguments.device(parser)
    parser.add_argument("--out", type=Path, required=True, help="label volume, .nii.gz, in the volume's own geometry")
    return parser


def _point(text: str) -> tuple[int, int]:
    y, x = (int(part) for part in text.split(","))
    return y, x


def run(options: argparse.Namespace) -> None:
    import numpy as np

    from .. import checkpoint
    from ..clicks import Click
    from ..predictor import Predictor
    from ..volumes import VolumeError, nifti, read

    volume = read(options.volume)
    depth = len(volume.voxels)
    if not 0 <= options.slice < depth:
        raise VolumeError(f"The volume has slices 0 to {depth - 1}, not {options.slice}.")
    predictor = Predictor(checkpoint.load(options.model), options.device)
    clicks = [Click(y, x, True) for y, x in options.foreground]
    clicks += [Click(y, x, False) for y, x in options.background]
    encoded = predictor.encode(volume.voxels[options.slice], volume.spacing[1:])
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[options.slice] = predictor.predict(encoded, clicks).mask
    nifti.write_labels(options.out, labels, volume.geometry)
    print(f"Wrote {options.out}: {np.count_nonzero(labels)} pixels on slice {options.slice}")
