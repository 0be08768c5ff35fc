"""Training with simulated clicks (paper, section II-D and Table I).

Each batch is first run K times in prediction mode, without gradient; after each pass some images get another click. Then
one gradient step is made on the clicks that came together.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import math
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from .checkpoint import Checkpoint
from .clicks import Click
from .dataset import GridSlices
from .files import write_whole
from .grid import Grid
from .inputs import InputSpec
from .intensity import Intensity
from .interaction import falling_chance, interact
from .metrics import soft_dice_loss, tensor_to_masks
from .networks import build
from .processes import Processes
from .pseudo import spoil
from .quality import Calibration
from .recipe import Recipe, RecipeError
from .sampling import Batch, Sampler
from .simulation import paper_click

Mask = NDArray[np.bool_]
THREADS = 4  # that draw slices and place clicks beside a network on a GPU


class Trainer:
    """One run: `step()` makes one gradient step and returns its loss."""

    def __init__(
        self,
        recipe: Recipe,
        slices: GridSlices,
        processes: Processes | None = None,
        start: Checkpoint | None = None,
    ) -> None:
        self.recipe, self.processes = recipe, processes or Processes()
        self.device = self.processes.device
        torch.manual_seed(recipe.seed)
        options = {**recipe.architecture, "guidance": 3 if recipe.previous_mask else 2}
        self.architecture = dict(options)
        network: Any = build(options.pop("name", ""), **options)
        sides = recipe.crop if recipe.augment else slices.images.shape[1:]
        if any(side % network.multiple for side in sides):
            raise RecipeError(f"This network's pictures have sides of multiples of {network.multiple}, not {sides}.")
        if start:
            inherit(network, start.network)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        grid = Grid(recipe.spacing, network.multiple)
        self.calibration = start.calibration if start else Calibration()
        measured = start.inputs.intensity if start else Intensity.measured(slices.images, *recipe.window)
        self.spec = InputSpec(grid, measured, recipe.sigma, recipe.disk, recipe.previous_mask > 0)
        self.sampler = Sampler(slices, self.spec, recipe)
        kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
        self.optimiser = kind(self.network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        self.averaged = copy.deepcopy(self.network).eval() if recipe.averaging else self.network
        self.members = self.processes.share(recipe.images)
        if not self.members:
            raise RecipeError(f"{self.processes.size} processes cannot share a batch of {recipe.images} slices.")
        self.micro_batch = min(recipe.micro_batch or len(self.members), len(self.members))
        self.steps_done = 0
        self.threads = ThreadPoolExecutor(THREADS) if self.device.type == "cuda" else None
        self._ahead: tuple[int, int, Future[list[Batch]]] | None = None

    def step(self, progress: float) -> dict[str, float]:
        """One step; `progress` in [0, 1] sets the learning rate. Returns the loss and where the time went (s).

        Where memory runs out, the micro-batch is halved (in every process) and the step tried again.
        """
        started = time.perf_counter()
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * self._schedule(progress)
        while True:
            spent = {"data_s": 0.0, "clicks_s": 0.0, "passes_s": 0.0, "fit_s": 0.0}
            try:
                loss, failed = self._gradient(spent), False
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not _out_of_memory(error):
                    raise
                failed = True  # the next try is made outside, where the failed one's tensors are gone
            if not self.processes.largest(failed)[0]:
                break
            self._take_smaller_bites()
        sent = time.perf_counter()
        self._share_gradient(loss)
        if self.recipe.clip_gradient:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_gradient)
        self.optimiser.step()
        self.steps_done += 1
        self._average()
        spent["fit_s"] += time.perf_counter() - sent
        return {"loss": loss.item(), **spent, "step_s": time.perf_counter() - started}

    def _gradient(self, spent: dict[str, float]) -> Tensor:
        """Sums this process's share of the gradient into the parameters and returns its share of the loss."""
        self.optimiser.zero_grad(set_to_none=True)
        losses = []
        norms = _Norms(self.network)
        clock = time.perf_counter()
        for batch in self._batches():
            norms.rewind()
            images = batch.images.to(self.device, memory_format=torch.channels_last)
            truths = batch.truths.to(self.device)
            drawn = time.perf_counter()
            self.network.train()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
                features = tuple(f[batch.owner.to(self.device)] for f in self.network.encode(images))
                guidance, placing = self._simulate(features, batch)
                simulated = time.perf_counter()
                logits = self.network.decode(features, guidance)
            each = self._loss(logits.float(), truths.float()) * batch.weights.to(self.device)
            loss = each.sum() / self.recipe.images
            loss.backward()
            losses.append(loss.detach())
            norms.note()
            fitted = time.perf_counter()
            spent["data_s"] += drawn - clock
            spent["clicks_s"] += placing
            spent["passes_s"] += simulated - drawn - placing
            spent["fit_s"] += fitted - simulated
            clock = fitted
        norms.average()
        return torch.stack(losses).sum()

    def _batches(self) -> Sequence[Batch]:
        """This process's micro-batches of the step; where there are threads, those of the next step are drawn meanwhile."""
        wanted = (self.steps_done, self.micro_batch)
        if not self.threads:
            return self._draw(*wanted)
        ahead = self._ahead
        ready = ahead[2].result() if ahead and ahead[:2] == wanted else self._draw(*wanted)
        following = (self.steps_done + 1, self.micro_batch)
        self._ahead = (*following, self.threads.submit(self._draw, *following))
        return ready

    def _draw(self, step: int, size: int) -> list[Batch]:
        return [self.sampler.batch(step, self.members[k : k + size]) for k in range(0, len(self.members), size)]

    def _simulate(self, features: Sequence[Tensor], batch: Batch) -> tuple[Tensor, float]:
        """The guidance of every truth after the recipe's prediction passes, and the seconds that placing clicks took."""
        recipe, truths = self.recipe, list(batch.truths[:, 0].numpy())
        follows = [rng.random() < recipe.previous_mask for rng in batch.rngs]
        starts = [
            spoil(truth, rng) if following and rng.random() < recipe.start_masks else np.zeros_like(truth)
            for truth, following, rng in zip(truths, follows, batch.rngs, strict=True)
        ]
        previous: list[Mask | None] = [
            mask if following else None for mask, following in zip(starts, follows, strict=True)
        ]
        network_s = 0.0

        def predict(clicks: list[list[Click]], again: Sequence[int]) -> list[Mask]:
            nonlocal network_s
            began = time.perf_counter()
            guidance = self._guidance(clicks, [previous[i] for i in again], truths[0].shape)
            masks = tensor_to_masks(self.network.decode(tuple(f[list(again)] for f in features), guidance))
            for i, mask in zip(again, masks, strict=True):
                previous[i] = mask if follows[i] else None
            network_s += time.perf_counter() - began
            return masks

        began = time.perf_counter()
        self.network.eval()
        with torch.no_grad():
            run = self.threads.map if self.threads else map
            chance = falling_chance(recipe.passes)
            clicks = interact(
                truths,
                predict,
                paper_click,
                recipe.passes,
                batch.rngs,
                chance,
                recipe.spacing,
                starts,
                run,
                batch.begun,
            )
        self.network.train()
        placing = time.perf_counter() - began - network_s
        return self._guidance(clicks, previous, truths[0].shape), placing

    def _guidance(
        self, clicks: Sequence[Sequence[Click]], previous: Sequence[Mask | None], shape: tuple[int, ...]
    ) -> Tensor:
        """float32 [m, maps, H, W] of the clicks and previous masks of m truths."""
        rows, columns = shape
        each = zip(clicks, previous, strict=True)
        maps = torch.cat([self.spec.guidance_on_grid(placed, (rows, columns), mask) for placed, mask in each])
        return maps.to(self.device, memory_format=torch.channels_last)

    def _loss(self, logits: Tensor, truths: Tensor) -> Tensor:
        """[m], a loss for each truth."""
        loss = soft_dice_loss(logits.sigmoid(), truths)
        if self.recipe.cross_entropy:
            entropy = F.binary_cross_entropy_with_logits(logits, truths, reduction="none").mean((1, 2, 3))
            loss = loss + self.recipe.cross_entropy * entropy
        return loss

    def _share_gradient(self, loss: Tensor) -> None:
        """Sums gradients and loss over the processes and averages what batch normalisations have seen."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norms = _statistics(self.network)
        self.processes.sum([loss, *gradients, *norms])
        for statistic in norms:
            statistic.div_(self.processes.size)

    def _take_smaller_bites(self) -> None:
        """Halves the micro-batch; the global batch stays. Raises RecipeError where it is one slice already."""
        if self.micro_batch == 1:
            raise RecipeError(f"Memory on {self.device} does not suffice for a single slice of this recipe.")
        self.micro_batch //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.processes.first:
            bites = "1 slice" if self.micro_batch == 1 else f"{self.micro_batch} slices"
            tqdm.write(f"Out of memory: going on with {bites} at a time, the batch stays as it is.")

    def _schedule(self, progress: float) -> float:
        if self.recipe.schedule == "constant":
            return 1.0
        return min(1.0, (self.steps_done + 1) / 50) * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))

    @torch.no_grad()
    def _average(self) -> None:
        if not self.recipe.averaging:
            return
        # a young average follows quickly: (1 + n) / (10 + n) < decay at first
        decay = min(self.recipe.averaging, (1 + self.steps_done) / (10 + self.steps_done))
        for kept, now in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(now, 1 - decay)
            else:
                kept.copy_(now)

    def checkpoint(self, provenance: dict[str, Any]) -> Checkpoint:
        """The network as it would be served now, with its start's estimate of its quality until that is fitted anew."""
        described = {"recipe": dataclasses.asdict(self.recipe), "steps": self.steps_done, **provenance}
        network = copy.deepcopy(self.averaged).float().to("cpu").eval()
        return Checkpoint(network, self.architecture, self.spec, described, calibration=self.calibration)

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, as tensors, numbers and lists."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps_done,
            "micro_batch": self.micro_batch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps_done, self.micro_batch = state["steps"], state["micro_batch"]


class _Norms:
    """What batch normalisations have seen, so that every micro-batch of a step starts from the same, in whatever process."""

    def __init__(self, network: nn.Module) -> None:
        self.seen = _statistics(network)
        self.before = [statistic.clone() for statistic in self.seen]
        self.after: list[list[Tensor]] = []

    def rewind(self) -> None:
        for statistic, value in zip(self.seen, self.before, strict=True):
            statistic.copy_(value)

    def note(self) -> None:
        self.after.append([statistic.clone() for statistic in self.seen])

    def average(self) -> None:
        for statistic, values in zip(self.seen, zip(*self.after, strict=True), strict=True):
            statistic.copy_(torch.stack(values).mean(0))


def _statistics(network: nn.Module) -> list[Tensor]:
    """Running means and variances of the batch normalisations."""
    return [buffer for buffer in network.buffers() if buffer.is_floating_point()]


def inherit(network: nn.Module, parent: nn.Module) -> None:
    """Copies the weights of `parent`; guidance maps that it did not have begin with weight 0. Raises RecipeError."""
    own, given = network.state_dict(), parent.state_dict()
    if own.keys() != given.keys() or not all(_fits(given[name], tensor) for name, tensor in own.items()):
        raise RecipeError("The model to start from has another architecture than the recipe.")
    for name, tensor in own.items():
        if tensor.shape == given[name].shape:
            tensor.copy_(given[name])
        else:
            tensor.zero_()[:, : given[name].shape[1]] = given[name]


def _fits(given: Tensor, own: Tensor) -> bool:
    """Whether shapes are equal but for inputs (axis 1) that only `own` has."""
    if given.dim() < 2 or own.dim() < 2:
        return given.shape == own.shape
    return given.shape[:1] + given.shape[2:] == own.shape[:1] + own.shape[2:] and given.shape[1] <= own.shape[1]


def _out_of_memory(error: BaseException) -> bool:
    """The CPU's allocator has no error class of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


class Run:
    """A folder with a training run: `log.jsonl`, the newest `model.safetensors`, and `state.pt`, from which it goes on."""

    def __init__(self, out: Path, provenance: dict[str, Any], trainer: Trainer, resume: bool) -> None:
        self.out, self.provenance, self.trainer, self.elapsed = out, provenance, trainer, 0.0
        self.model, self._state, self._log = out / "model.safetensors", out / "state.pt", out / "log.jsonl"
        if resume:
            self._restore()
        elif self._state.exists():
            raise RecipeError(f"{out} holds a training run already: go on with it by --resume, or take another folder.")

    def _restore(self) -> None:
        try:
            state = torch.load(self._state, map_location="cpu", weights_only=True)  # which executes no code
        except FileNotFoundError:
            raise RecipeError(f"There is no training run in {self.out} to go on with.") from None
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            raise RecipeError(f"{self._state} is damaged, so that the run cannot go on.") from None
        if state["made_of"] != self._made_of():
            raise RecipeError(f"The run in {self.out} was made with another recipe or other data.")
        self.trainer.restore(state["trainer"])
        self.elapsed = state["elapsed"]

    def _made_of(self) -> str:
        return json.dumps([dataclasses.asdict(self.trainer.recipe), self.provenance], sort_keys=True)

    def save(self) -> Checkpoint:
        """Writes model and state, each whole, and returns the model."""
        checkpoint, content = self.trainer.checkpoint(self.provenance), io.BytesIO()
        checkpoint.save(self.model)
        torch.save({"made_of": self._made_of(), "elapsed": self.elapsed, "trainer": self.trainer.state()}, content)
        write_whole(self._state, content.getvalue())
        return checkpoint

    def share(self, elapsed: float, minutes: float | None) -> float:
        """What is done of the steps or of the time, whichever is more."""
        return max(self.trainer.steps_done / self.trainer.recipe.steps, elapsed / minutes if minutes else 0.0)

    @contextmanager
    def log(self, watch: Callable[[dict[str, Any]], None] | None) -> Iterator[Callable[[dict[str, Any]], None]]:
        """What adds a line to the log, and shows it to `watch`; what a broken run wrote beyond its last save is done again."""
        if not self.trainer.processes.first:
            yield lambda line: None
            return
        self.out.mkdir(parents=True, exist_ok=True)
        written = self._log.read_text().splitlines(keepends=True) if self.trainer.steps_done else []
        self._log.write_text("".join(takewhile(lambda line: _step_of(line) <= self.trainer.steps_done, written)))
        with self._log.open("a") as log:

            def note(line: dict[str, Any]) -> None:
                log.write(json.dumps(line) + "\n")
                log.flush()
                if watch:
                    watch(line)

            yield note


def _step_of(line: str) -> float:
    """Of a line of the log; infinite where it was broken off."""
    try:
        return float(json.loads(line)["step"])
    except json.JSONDecodeError:
        return math.inf


def train(
    recipe: Recipe,
    slices: GridSlices,
    out: Path,
    provenance: dict[str, Any],
    processes: Processes | None = None,
    minutes: float | None = None,
    every_minutes: float = 5.0,
    validate: Callable[[Checkpoint], dict[str, Any]] | None = None,
    watch: Callable[[dict[str, Any]], None] | None = None,
    start: Checkpoint | None = None,
    resume: bool = False,
    tell: Callable[..., None] = lambda done, **more: None,
) -> Path:
    """Trains until the recipe's steps or `minutes` are over, whichever is nearer, and returns the checkpoint's path.

    Writes `out/log.jsonl` (a line a step) and, every `every_minutes`, at the end and when it is interrupted,
    `out/model.safetensors` and `out/state.pt`, from which `resume` goes on as if nothing had happened. What
    `validate` says of the model is in the log at every save, in a line of its own before the first step and after the
    last; `watch` gets each of the log's lines. After every step `tell` hears of the share that is done, of steps or of time,
    whichever is larger, with `step`, `steps` and `loss`. Raises RecipeError.
    """
    run = Run(out, provenance, Trainer(recipe, slices, processes, start), resume)
    first = run.trainer.processes.first
    bar = tqdm(total=recipe.steps, initial=run.trainer.steps_done, unit="step", desc="train", disable=not first)
    with bar, run.log(watch) as note, _interruption() as interrupted:
        with run.trainer.processes.first_alone():  # the others' clocks stand still meanwhile
            if first and validate and not run.trainer.steps_done:
                note({"step": 0, "validation": validate(run.trainer.checkpoint(provenance))})
        before, began, saved, looked = run.elapsed, time.monotonic(), time.monotonic(), run.trainer.steps_done
        tell(run.share(before, minutes), step=run.trainer.steps_done, steps=recipe.steps, loss=None)
        while run.trainer.steps_done < recipe.steps:
            run.elapsed = before + (time.monotonic() - began) / 60
            stop, elapsed = run.trainer.processes.largest(bool(interrupted), run.elapsed)
            if stop or (minutes and elapsed >= minutes):
                break
            share = run.share(elapsed, minutes)
            line: dict[str, Any] = {"step": run.trainer.steps_done + 1, **run.trainer.step(share)}
            if first and time.monotonic() - saved > every_minutes * 60:
                saved = time.monotonic()
                checkpoint = run.save()
                line["validation"], looked = validate(checkpoint) if validate else None, run.trainer.steps_done
            note(line)
            tell(run.share(elapsed, minutes), step=line["step"], steps=recipe.steps, loss=line["loss"])
            bar.set_postfix(loss=f"{line['loss']:.3f}", refresh=False)
            bar.update()
        if first:
            checkpoint = run.save()
            if validate and not interrupted and run.trainer.steps_done > looked:
                note({"step": run.trainer.steps_done, "validation": validate(checkpoint)})
    if first and interrupted:
        print(f"Interrupted after {run.trainer.steps_done} steps; the network so far is in {run.model}.")
    return run.model


@contextmanager
def _interruption() -> Iterator[list[int]]:
    """A list that gets the first SIGINT or SIGTERM, so that a step is finished and saved; the second one interrupts at once."""
    caught: list[int] = []

    def note(number: int, frame: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    if threading.current_thread() is not threading.main_thread():  # where no handler may be set
        yield caught
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
