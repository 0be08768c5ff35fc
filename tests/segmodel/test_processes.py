"""Two processes make the step that one would have made, with real torchrun and gloo."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from segmodel.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
STEP = """
import sys, torch
from segmodel.processes import Processes
from segmodel.training import Trainer
from tests.segmodel.test_processes import RECIPE
from tests.segmodel.toys import grid_slices

processes = Processes.join()
trainer = Trainer(RECIPE, grid_slices(), processes)
loss = trainer.step(0.0)["loss"]
if processes.first:
    torch.save({"loss": loss, "gradients": [p.grad for p in trainer.network.parameters()],
                "network": trainer.network.state_dict()}, sys.argv[1])
processes.leave()
"""


def _recipe():
    from segmodel.recipe import Recipe
    from tests.segmodel.toys import ENCODE_ONCE

    return Recipe(
        name="tiny", architecture=ENCODE_ONCE, size=64, crop=(64, 64), window=(-125.0, 275.0), images=4, micro_batch=2,
        structures=2, passes=2, augment=True, lesions=0.3, regions=0.3, previous_mask=0.5,
    )  # fmt: skip


RECIPE = _recipe()


def step(folder, count):
    (folder / "step.py").write_text(STEP)
    out = folder / f"{count}.pt"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*launch, str(folder / "step.py"), str(out)], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out, weights_only=True)


def test_the_gradient_of_two_processes_is_that_of_one_on_the_same_batch(tmp_path):
    one, two = step(tmp_path, 1), step(tmp_path, 2)
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)
    for alone, together in zip(one["gradients"], two["gradients"], strict=True):
        torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-6)
    for name, alone in one["network"].items():
        if name.endswith("num_batches_tracked"):  # a micro-batch each, or both
            continue
        torch.testing.assert_close(two["network"][name], alone, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("count", [1, 5, 8])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_slice_is_the_share_of_one_process(count, size):
    shares = [Processes(rank, size).share(count) for rank in range(size)]
    assert sorted(k for share in shares for k in share) == list(range(count))


def test_a_process_alone_changes_nothing():
    alone, tensor = Processes(), torch.tensor([1.0, 2.0])
    alone.sum([tensor])
    assert tensor.tolist() == [1, 2]
    assert alone.largest(3.0, True) == [3, 1]
    assert alone.first
