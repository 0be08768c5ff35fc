"""What a training run is made of: every choice is a setting of a recipe, and the recipe travels in the checkpoint."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    sigma: float = 2.0  # of a click's Gaussian, grid pixels
    disk: float = 0.0  # radius of the disk that a click is instead; 0: a Gaussian
    steps: int = 100_000
    images: int = 16  # slices of a batch, over all processes
    micro_batch: int = (
        0  # slices that a process fits at once (a batch normalisation sees no more); 0 is all of its share
    )
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
    lesions: float = 0.0  # share of slices in which lesions are painted and asked for
    regions: float = 0.0  # share of slices of which an evenly grey region is asked for, whatever it is
    previous_mask: float = 0.0  # share of truths whose passes see the mask before; above 0 the network has a map for it
    start_masks: float = 0.0  # share of those that start from a spoilt copy of the truth, as after a brush stroke
    real_clicks: float = 0.0  # share of the truths with clicks of people whose simulation begins with them
    replay: float = 0.0  # share of slices that are drawn from earlier data, below 1
    merge: dict[str, str] = field(default_factory=dict)  # structures that are part of another
    leave_out: tuple[str, ...] = ()  # structures that are never asked for, to see how unknown ones do
    seed: int = 4242

    def __post_init__(self) -> None:
        for name in ("size", "steps", "images", "structures", "passes", "spacing", "learning_rate", "sigma"):
            if not getattr(self, name) > 0:
                raise RecipeError(f"The recipe's {name} must be above 0, not {getattr(self, name)}.")
        for name in ("lesions", "regions", "previous_mask", "start_masks", "real_clicks"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"The recipe's {name} is a share from 0 to 1, not {getattr(self, name)}.")
        if not 0 <= self.replay < 1:
            raise RecipeError(f"The recipe's replay is a share from 0 to below 1, not {self.replay}.")
        if self.disk < 0:
            raise RecipeError(f"The recipe's disk must be 0 or above, not {self.disk}.")
        if self.micro_batch < 0:
            raise RecipeError(f"The recipe's micro_batch must be 0 or above, not {self.micro_batch}.")
        if self.optimiser not in ("adam", "adamw") or self.schedule not in ("constant", "cosine"):
            raise RecipeError("The recipe's optimiser is adam or adamw, its schedule constant or cosine.")

    def check_replay(self, given: bool) -> None:
        """Raises RecipeError where there are earlier data to replay and no share of them is asked for, or the reverse."""
        if self.replay and not given:
            raise RecipeError(f"The recipe's replay is {self.replay:g}, but there are no data to replay.")
        if given and not self.replay:
            raise RecipeError("There are data to replay, but the recipe's replay is 0.")

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
            if not _alike(value, getattr(Recipe(), name)):
                raise RecipeError(f"The recipe's {name} cannot be {value!r}.")
        return dataclasses.replace(self, **values)


def _alike(value: object, example: object) -> bool:
    """Whether a value is of the example's kind; whole numbers are numbers, and pairs hold what the example's hold."""
    if isinstance(example, tuple):
        if not isinstance(value, tuple):
            return False
        if not example:
            return all(isinstance(item, str) for item in value)
        return len(value) == len(example) and all(map(_alike, value, example))
    if isinstance(example, float):
        return type(value) in (int, float)
    return type(value) is type(example)
