"""Checkpoints: safetensors with a JSON header that can rebuild the network and says where it comes from.

Loading executes no code. The header carries `format`, `architecture` (name and options), `inputs` (grid, intensity,
sigma), `provenance` (data, split, recipe, steps), `scores` and `calibration` (of the quality estimate).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import nn

from .files import write_whole
from .inputs import InputSpec
from .networks import UnknownArchitecture, build
from .quality import Calibration

FORMAT = 1
DEFAULT = Path(__file__).parent / "weights" / "default.safetensors"


class CheckpointError(ValueError):
    """A file that is not one of our checkpoints; the message is one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """A network in evaluation mode with everything that serving needs to know about it."""

    network: nn.Module
    architecture: dict[str, Any]  # {"name": …, options}
    inputs: InputSpec
    provenance: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)

    @property
    def header(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "architecture": self.architecture,
            "inputs": self.inputs.to_json(),
            "provenance": self.provenance,
            "scores": self.scores,
            "calibration": asdict(self.calibration),
        }

    def save(self, path: Path) -> None:
        """A file of this name is always whole."""
        tensors = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        # not save_file, whose files nobody else may read
        write_whole(path, safetensors.torch.save(tensors, {"annotator": json.dumps(self.header)}))


def read_header(path: Path) -> dict[str, Any]:
    """The header alone, without the weights. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"There is no model file {path}.")
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (safetensors.SafetensorError, OSError):
        raise CheckpointError(f"{path.name} is not a safetensors file, or it is damaged.") from None
    try:
        header = json.loads(metadata["annotator"])
        written = header["format"]
    except (KeyError, TypeError, json.JSONDecodeError):
        raise CheckpointError(f"{path.name} is a safetensors file, but not a model of this program.") from None
    if written != FORMAT:
        raise CheckpointError(f"{path.name} has format {written}; this program reads format {FORMAT}.")
    return dict(header)


def locate(model: Path | str) -> Path:
    """The file of a model: the shipped one for "default"."""
    return DEFAULT if str(model) == "default" else Path(model)


def load(path: Path | str = "default") -> Checkpoint:
    """The checkpoint of a file, or the shipped one for "default". Raises CheckpointError."""
    file = locate(path)
    header = read_header(file)
    try:
        options = dict(header["architecture"])
        network = build(options.pop("name"), **options)
        network.load_state_dict(safetensors.torch.load_file(file))
        inputs = InputSpec.from_json(header["inputs"])
        if inputs.maps != network.guidance:
            raise ValueError
        calibration = Calibration(**header.get("calibration", {}))
        rest = (header["architecture"], inputs, header["provenance"], header["scores"], calibration)
        return Checkpoint(network.eval(), *rest)
    except UnknownArchitecture as error:
        raise CheckpointError(f"{file.name} cannot be used: {error}") from None
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise CheckpointError(f"The header and the weights of {file.name} do not belong together.") from None


def sha256(path: Path) -> str:
    """Hex digest of a checkpoint file, the identity of a model version."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
