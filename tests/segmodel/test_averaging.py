"""The mean of models lies between them, and only models of one kind have one."""

import pytest
import torch

from segmodel import averaging, checkpoint
from segmodel.checkpoint import CheckpointError
from tests.segmodel import commandline, toys


def toy(seed, architecture=toys.ENCODE_ONCE):
    return toys.checkpoint(architecture, seed=seed)


def test_the_mean_lies_where_the_shares_say():
    one, two = toy(1), toy(2)
    found = averaging.mean([one, two], [1, 3], ["one", "two"])
    for name, weight in found.network.state_dict().items():
        if weight.is_floating_point():
            a, b = one.network.state_dict()[name], two.network.state_dict()[name]
            torch.testing.assert_close(weight, 0.25 * a + 0.75 * b)
    assert [part["share"] for part in found.provenance["mean_of"]] == [0.25, 0.75]
    assert found.scores == {}


def test_the_command_writes_a_model_that_loads(tmp_path):
    toy(1).save(tmp_path / "one.safetensors")
    toy(2).save(tmp_path / "two.safetensors")
    files = [str(tmp_path / f"{name}.safetensors") for name in ("one", "two", "mean")]
    assert commandline.run("average", files[0], files[1], "--out", files[2]) == 0
    assert not checkpoint.load(files[2]).network.training


def test_models_of_two_kinds_have_no_mean():
    with pytest.raises(CheckpointError, match="same architecture"):
        averaging.mean([toy(1), toy(1, toys.UNET)], [1, 1], ["one", "two"])


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_each_model_has_its_share(shares):
    with pytest.raises(CheckpointError, match="2 shares above 0"):
        averaging.mean([toy(1), toy(2)], shares, ["one", "two"])
