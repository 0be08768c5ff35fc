"""Training steps per second: our loop and DeepGrow's, turn and turn about, with the same network, slices, batch and K."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from segmodel.dataset import GridSlices
from segmodel.recipe import Recipe
from segmodel.training import Trainer


def measure(slices: GridSlices, recipe: Recipe, passes: int, steps: int) -> dict[str, Any]:
    """Seconds of each of `steps` steps by loop, after one step of each that does not count. Raises ValueError.

    All train MONAI's BasicUNet on batches of the recipe's images, 256×256, one structure each, after `passes` prediction
    passes. DeepGrow's engine has no mixed precision on a CPU; ours is shown with and without.
    """
    from ignite.engine import Events

    from . import deepgrow

    if slices.images.shape[1:] != (deepgrow.SIDE, deepgrow.SIDE):
        raise ValueError(f"Steps are compared on slices of {deepgrow.SIDE}², not {slices.images.shape[1:]}.")
    plain = {
        "structures": 1,
        "augment": False,
        "lesions": 0.0,
        "regions": 0.0,
        "previous_mask": 0.0,
        "start_masks": 0.0,
    }
    same = recipe.changed({**plain, "architecture": {"name": "deepgrow"}, "passes": passes, "bfloat16": False})
    ours = Trainer(same, slices)
    ours_bfloat16 = Trainer(same.changed({"bfloat16": True}), slices)
    theirs = deepgrow.engine(
        deepgrow.DeepGrowUNet(), slices, ours.spec.intensity, recipe.images, passes, recipe.seed, recipe.learning_rate
    )
    seconds: dict[str, list[float]] = {"deepgrow": [], "ours": [], "ours in bfloat16": []}
    began = time.perf_counter()

    @theirs.on(Events.ITERATION_COMPLETED)
    def our_turn() -> None:
        nonlocal began
        seconds["deepgrow"].append(time.perf_counter() - began)
        seconds["ours"].append(_timed(lambda: ours.step(0.0)))
        seconds["ours in bfloat16"].append(_timed(lambda: ours_bfloat16.step(0.0)))
        print(
            f"K = {passes}: " + ", ".join(f"{name} {values[-1]:.1f} s" for name, values in seconds.items()), flush=True
        )
        if theirs.state.iteration > steps:
            theirs.terminate()
        began = time.perf_counter()

    theirs.run()
    return {"passes": passes, "batch": recipe.images, "seconds": {name: v[1:] for name, v in seconds.items()}}


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def table(measured: list[dict[str, Any]]) -> str:
    """Medians, and how many steps ours makes in the time of one of DeepGrow's."""
    lines = ["| K | batch | DeepGrow, s per step | ours | times as fast | ours in bfloat16 | times as fast |"]
    lines.append("|---:|" + "---:|" * 6)
    for row in measured:
        theirs, ours, quick = (statistics.median(values) for values in row["seconds"].values())
        lines.append(
            f"| {row['passes']} | {row['batch']} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} |"
            f" {quick:.2f} | {theirs / quick:.2f} |"
        )
    return "\n".join(lines)
