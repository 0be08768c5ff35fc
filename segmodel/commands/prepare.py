"""python -m segmodel prepare"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dataset import Parts
    from ..preparation import Prepared
    from ..recipe import Recipe


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "prepare", help="bring training cases onto the recipe's grid, ahead of train, and say what they hold"
    )
    arguments.preparation(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    from ..recipe import Recipe

    recipe = Recipe.load(options.recipe).changed(arguments.settings(options.set))
    ready = prepared(training_parts(options.data), recipe, options)
    print(ready.summary(recipe.window))


def training_parts(sources: Sequence[Path]) -> Parts:
    """The training cases of the data sets in these places. Raises DatasetError."""
    from .. import layouts

    datasets = [layouts.read(source) for source in sources]
    return [(dataset, dataset.part("training")) for dataset in datasets]


def prepared(parts: Parts, recipe: Recipe, options: argparse.Namespace, **more: Any) -> Prepared:
    """The cases on the recipe's grid, in the cache; `train` and `prepare` ask alike, so that they share it."""
    from .. import preparation
    from ..grid import Grid

    return preparation.prepare(
        parts, Grid(recipe.spacing), recipe.size, recipe.merge, options.cache,
        leave_out=recipe.leave_out, empty=options.empty, workers=options.workers, **more,
    )  # fmt: skip
