"""What an engine keeps warm: the checkpoints that were used last, and what they encoded."""

import numpy as np
import pytest

from annotator.engine import ClickEngine, SliceKey

MODELS = ("a", "b", "c", "d")
SLICE = np.zeros((32, 48), np.int16), (1.0, 1.0)


@pytest.fixture
def engine(monkeypatch):
    """Every name is the shipped checkpoint; what is read is written down in `engine.asked`."""
    engine, shipped = ClickEngine(), ClickEngine().read("default")
    engine.asked = []
    monkeypatch.setattr(engine, "read", lambda model: (engine.asked.append(model), shipped)[1])
    return engine


def encode(engine, model, z=0):
    engine.encode(SliceKey(model, "a-series", z), lambda: SLICE)


def test_of_many_checkpoints_the_four_last_used_stay(engine):
    for model in MODELS:
        encode(engine, model)
    engine.mask(SliceKey("a", "a-series", 0), lambda: SLICE, [(10, 10, True)])
    encode(engine, "e")
    assert {model for model in (*MODELS, "e") if engine.has(model)} == {"a", "c", "d", "e"}
    assert {key.model for key in engine.encoded} == {"a", "c", "d", "e"}
    encode(engine, "b", 1)
    assert engine.asked == [*MODELS, "e", "b"]


def test_a_checkpoint_that_was_read_beside_is_put_in(engine):
    predictor = engine.read("a")
    assert not engine.has("a")
    engine.put("a", predictor)
    assert engine.load("a") is predictor and engine.asked == ["a"]
