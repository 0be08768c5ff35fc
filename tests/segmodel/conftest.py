"""What the tests of the click model share: one thread, and a real evaluation of an untrained network."""

import json
from types import SimpleNamespace

import pytest
import torch

from segmodel import evaluation
from segmodel.layouts import read_decathlon
from segmodel.predictor import Predictor
from tests.segmodel import toys
from tests.segmodel.commandline import RECIPE

torch.set_num_threads(1)  # small networks gain nothing by two, which wait for each other on a busy machine


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe that trains in no time."""
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path / "tiny.toml"


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory):
    """Return `parts`, `predictor`, `result` and `examples`; two structures on two slices of each patient."""
    dataset = read_decathlon(toys.decathlon(tmp_path_factory.mktemp("evaluated"), split={}))
    parts, predictor = [(dataset, dataset.cases)], Predictor(toys.checkpoint())
    result = evaluation.evaluate(parts, predictor, clicks=(1, 2, 5))
    examples = evaluation.examples(parts, predictor, result)
    return SimpleNamespace(parts=parts, predictor=predictor, result=json.loads(json.dumps(result)), examples=examples)
