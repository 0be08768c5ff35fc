"""One model out of several that a fine-tune has led apart: the mean of their weights (Wortsman et al., arXiv:2109.01903).

Where one model knows the known structures better and its fine-tuned child the unknown ones, their mean often keeps most of both
at the cost of one.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from .checkpoint import Checkpoint, CheckpointError
from .quality import Calibration


def mean(models: Sequence[Checkpoint], shares: Sequence[float], names: Sequence[str]) -> Checkpoint:
    """The models' weights (and the statistics of their normalisations) in these shares, which are scaled to sum to 1.

    Scores and calibration are not a mean of anything, so they begin anew. Raises CheckpointError for models that are not of one
    architecture and input, or shares that are not one positive number for each.
    """
    first = models[0]
    if any(model.architecture != first.architecture or model.inputs != first.inputs for model in models):
        raise CheckpointError("Only models of the same architecture and inputs have a mean.")
    if len(shares) != len(models) or min(shares) <= 0:
        raise CheckpointError(f"{len(models)} models need {len(models)} shares above 0.")
    parts = [share / sum(shares) for share in shares]
    states = [model.network.state_dict() for model in models]
    network = copy.deepcopy(first.network)
    network.load_state_dict({name: _mean([state[name] for state in states], parts) for name in states[0]})
    provenance: dict[str, Any] = {
        **first.provenance,
        "mean_of": [
            {"model": name, "share": round(part, 6), "provenance": model.provenance}
            for name, part, model in zip(names, parts, models, strict=True)
        ],
    }
    return dataclasses.replace(first, network=network, provenance=provenance, scores={}, calibration=Calibration())


def _mean(tensors: list[torch.Tensor], parts: list[float]) -> torch.Tensor:
    if not tensors[0].is_floating_point():  # counters of batches
        return tensors[0].clone()
    return torch.stack([part * tensor for part, tensor in zip(parts, tensors, strict=True)]).sum(0)
