"""Training with simulated clicks (paper, section II-D and Table I).

Each batch is first run K times in prediction mode, without gradient; after each pass some images get another click. Then
one gradient step is made on the clicks that came together.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from .augmentation import Augmentation
from .checkpoint import Checkpoint
from .clicks import Click
from .dataset import GridSlices
from .grid import Grid
from .guidance import guidance_maps
from .inputs import InputSpec
from .intensity import Intensity
from .interaction import falling_chance, interact
from .metrics import soft_dice_loss, tensor_to_masks
from .networks import build
from .simulation import paper_click

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that cannot be trained; the message is one sentence."""


@dataclass(frozen=True)
class Recipe:
    """Every choice of a training run. The defaults are the paper's (Table I)."""

    name: str = "paper"
    architecture: dict[str, Any] = field(default_factory=lambda: {"name": "unet", "width": 64})
    spacing: float = 1.0  # mm of a grid pixel
    size: int = 512  # side of the cached slices, grid pixels
    crop: tuple[int, int] = (512, 512)  # rows, columns that the network sees in training
    window: tuple[float, float] = (-1024.0, 3071.0)  # HU, clipped before standardising
    sigma: float = 2.0  # grid pixels
    steps: int = 100_000
    images: int = 16  # slices of a batch
    structures: int = 1  # structures trained per slice: the slice is encoded once for all of them
    passes: int = 15  # the paper's K
    optimiser: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "constant"  # or "cosine", with a short warm-up
    weight_decay: float = 0.0
    cross_entropy: float = 0.0  # weight of the added binary cross-entropy
    averaging: float = 0.0  # decay of the exponential moving average of the weights; 0 is off
    clip_gradient: float = 0.0
    bfloat16: bool = False
    augment: bool = False
    merge: dict[str, str] = field(default_factory=dict)  # structures that are part of another
    seed: int = 4242

    def __post_init__(self) -> None:
        for name in ("size", "steps", "images", "structures", "passes", "spacing", "learning_rate", "sigma"):
            if not getattr(self, name) > 0:
                raise RecipeError(f"The recipe's {name} must be above 0, not {getattr(self, name)}.")
        if self.optimiser not in ("adam", "adamw") or self.schedule not in ("constant", "cosine"):
            raise RecipeError("The recipe's optimiser is adam or adamw, its schedule constant or cosine.")

    @classmethod
    def load(cls, name: str) -> Recipe:
        """A shipped recipe by its name, or a TOML file. Raises RecipeError."""
        file = RECIPES / f"{name}.toml" if (RECIPES / f"{name}.toml").exists() else Path(name)
        try:
            settings = tomllib.loads(file.read_text())
        except OSError:
            raise RecipeError(f"There is no recipe {name}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"The recipe {name} is not TOML: {error}.") from None
        return cls(name=file.stem).changed(settings)

    def changed(self, settings: Mapping[str, Any]) -> Recipe:
        """This recipe with other settings, as TOML or JSON gives them. Raises RecipeError."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
        for name, value in values.items():
            if name not in self.__dataclass_fields__:
                raise RecipeError(f"A recipe has no setting {name!r}.")
            if not _alike(value, getattr(self, name)):
                raise RecipeError(f"The recipe's {name} cannot be {value!r}.")
        return dataclasses.replace(self, **values)


def _alike(value: object, example: object) -> bool:
    """Whether a value is of the example's kind; whole numbers are numbers, and pairs hold what the example's hold."""
    if isinstance(example, tuple):
        return isinstance(value, tuple) and len(value) == len(example) and all(map(_alike, value, example))
    if isinstance(example, float):
        return type(value) in (int, float)
    return type(value) is type(example)


@dataclass(frozen=True)
class Batch:
    """`images` float32 [n, 1, H, W]; `truths` bool [m, 1, H, W], each of the image `owner[i]`."""

    images: Tensor
    truths: Tensor
    owner: Tensor


class Sampler:
    """Draws batches: a structure first, then a slice that shows it, so that small structures are not drowned."""

    def __init__(self, slices: GridSlices, spec: InputSpec, recipe: Recipe, smallest: int = 12) -> None:
        self.slices, self.spec, self.recipe = slices, spec, recipe
        self.shown = slices.areas >= smallest  # [slice, structure]
        self.where = [np.flatnonzero(column) for column in self.shown.T]
        self.present = [k for k, found in enumerate(self.where) if found.size]
        if not self.present:
            raise RecipeError("The training data show no structure.")
        self.augmentation = Augmentation(recipe.crop) if recipe.augment else None

    def batch(self, rng: np.random.Generator) -> Batch:
        chosen, wanted = [], []
        for _ in range(self.recipe.images):
            first = rng.choice(self.present)
            index = rng.choice(self.where[first])
            others = rng.permutation(np.setdiff1d(np.flatnonzero(self.shown[index]), first))
            chosen.append(index)
            wanted.append([first, *others][: self.recipe.structures])
        images = torch.cat([self.spec.image_on_grid(self.slices.images[i]) for i in chosen])
        labels = torch.from_numpy(np.stack([self.slices.labels[i] for i in chosen]))[:, None]
        if self.augmentation:
            images, labels = self.augmentation(images, labels, rng)
        truths, owner = [], []
        for k, values in enumerate(wanted):
            for value in values:
                truth = labels[k] == int(value) + 1
                if truth.any():  # augmentation may have moved it out of the picture
                    truths.append(truth)
                    owner.append(k)
        if not truths:
            return self.batch(rng)
        return Batch(images, torch.stack(truths), torch.tensor(owner))


class Trainer:
    """One run: `step()` makes one gradient step and returns its loss."""

    def __init__(self, recipe: Recipe, slices: GridSlices, device: str = "cpu") -> None:
        self.recipe, self.device = recipe, torch.device(device)
        torch.manual_seed(recipe.seed)
        options = dict(recipe.architecture)
        network: Any = build(options.pop("name", ""), **options)
        sides = recipe.crop if recipe.augment else slices.images.shape[1:]
        if any(side % network.multiple for side in sides):
            raise RecipeError(f"This network's pictures have sides of multiples of {network.multiple}, not {sides}.")
        self.network = network.to(self.device, memory_format=torch.channels_last)
        grid = Grid(recipe.spacing, network.multiple)
        self.spec = InputSpec(grid, Intensity.measured(slices.images, *recipe.window), recipe.sigma)
        self.sampler = Sampler(slices, self.spec, recipe)
        kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
        self.optimiser = kind(self.network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        self.averaged = copy.deepcopy(self.network).eval() if recipe.averaging else self.network
        self.steps_done = 0

    def step(self, progress: float) -> dict[str, float]:
        """One step; `progress` in [0, 1] sets the learning rate. Returns the loss and where the time went (s)."""
        started = time.perf_counter()
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, self.steps_done])  # a step's draws do not depend on the steps before
        batch = self.sampler.batch(rng)
        images = batch.images.to(self.device, memory_format=torch.channels_last)
        truths = batch.truths.to(self.device)
        drawn = time.perf_counter()
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * self._schedule(progress)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=recipe.bfloat16):
            features = tuple(f[batch.owner] for f in self.network.encode(images))
            clicks = self._simulate(features, batch, rng)
            simulated = time.perf_counter()
            logits = self.network.decode(features, self._guidance(clicks, truths.shape[2:]))
        loss = self._loss(logits.float(), truths.float())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip_gradient:
            nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip_gradient)
        self.optimiser.step()
        self.steps_done += 1
        self._average()
        ended = time.perf_counter()
        return {
            "loss": loss.item(),
            "data_s": drawn - started,
            "passes_s": simulated - drawn,
            "fit_s": ended - simulated,
        }

    def _simulate(self, features: Sequence[Tensor], batch: Batch, rng: np.random.Generator) -> list[list[Click]]:
        """The clicks of every truth after the recipe's prediction passes."""
        known: list[tuple[int, NDArray[np.bool_]]] = [(0, np.zeros(0, bool))] * len(batch.truths)

        def predict(clicks: list[list[Click]]) -> list[NDArray[np.bool_]]:
            """Only truths that got a click since the last pass are predicted anew."""
            stale = [i for i, placed in enumerate(clicks) if len(placed) != known[i][0]]
            if stale:
                guidance = self._guidance([clicks[i] for i in stale], batch.truths.shape[2:])
                logits = self.network.decode(tuple(f[stale] for f in features), guidance)
                for i, mask in zip(stale, tensor_to_masks(logits), strict=True):
                    known[i] = (len(clicks[i]), mask)
            return [mask for _, mask in known]

        truths = list(batch.truths[:, 0].numpy())
        passes = self.recipe.passes
        self.network.eval()
        with torch.no_grad():
            clicks = interact(truths, predict, paper_click, passes, rng, falling_chance(passes))
        self.network.train()
        return clicks

    def _guidance(self, clicks: list[list[Click]], shape: Sequence[int]) -> Tensor:
        maps = [guidance_maps(placed, (shape[0], shape[1]), self.spec.sigma) for placed in clicks]
        return torch.from_numpy(np.stack(maps)).to(self.device, memory_format=torch.channels_last)

    def _loss(self, logits: Tensor, truths: Tensor) -> Tensor:
        loss = soft_dice_loss(logits.sigmoid(), truths)
        if self.recipe.cross_entropy:
            loss = loss + self.recipe.cross_entropy * F.binary_cross_entropy_with_logits(logits, truths)
        return loss

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
        """The network as it would be served now."""
        described = {"recipe": dataclasses.asdict(self.recipe), "steps": self.steps_done, **provenance}
        network = copy.deepcopy(self.averaged).float().to("cpu").eval()
        return Checkpoint(network, dict(self.recipe.architecture), self.spec, described)


def train(
    recipe: Recipe,
    slices: GridSlices,
    out: Path,
    provenance: dict[str, Any],
    device: str = "cpu",
    minutes: float | None = None,
    every_minutes: float = 5.0,
    validate: Callable[[Checkpoint], dict[str, Any]] | None = None,
) -> Path:
    """Trains until the recipe's steps or `minutes` are over, whichever is nearer, and returns the checkpoint's path.

    Writes `out/log.jsonl` (a line a step) and, every few minutes and at the end or on Ctrl-C, `out/model.safetensors`.
    """
    trainer, file = Trainer(recipe, slices, device), out / "model.safetensors"
    out.mkdir(parents=True, exist_ok=True)
    began = saved = time.monotonic()
    with (out / "log.jsonl").open("a") as log, tqdm(total=recipe.steps, unit="step", desc="train") as bar:
        try:
            while trainer.steps_done < recipe.steps:
                elapsed = (time.monotonic() - began) / 60
                if minutes and elapsed >= minutes:
                    break
                progress = max(trainer.steps_done / recipe.steps, elapsed / minutes if minutes else 0.0)
                line: dict[str, Any] = {"step": trainer.steps_done + 1, **trainer.step(progress)}
                if time.monotonic() - saved > every_minutes * 60:
                    saved = time.monotonic()
                    checkpoint = trainer.checkpoint(provenance)
                    checkpoint.save(file)
                    line["validation"] = validate(checkpoint) if validate else None
                log.write(json.dumps(line) + "\n")
                log.flush()
                bar.set_postfix(loss=f"{line['loss']:.3f}", refresh=False)
                bar.update()
        except KeyboardInterrupt:
            print(f"Interrupted after {trainer.steps_done} steps; the network so far is in {file}.")
    trainer.checkpoint(provenance).save(file)
    return file
