"""python -m segmodel prepare"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import arguments

if TYPE_CHECKING:
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
    ready = prepared(training_parts(options), recipe, options)
    print(ready.summary(recipe.window))


def training_parts(options: argparse.Namespace) -> Parts:
    """The training cases of the data sets in `--data`. Raises DatasetError."""
    from .. import layouts

    datasets = [layouts.read(source) for source in options.data]
    return [(dataset, dataset.part("training")) for dataset in datasets]


def prepared(parts: Parts, recipe: Recipe, options: argparse.Namespace) -> Prepared:
    """The cases on the recipe's grid, in the cache; `train` and `prepare` ask alike, so that they share it."""
    from .. import preparation
    from ..grid import Grid

    return preparation.prepare(
        parts, Grid(recipe.spacing), recipe.size, recipe.merge, options.cache,
        leave_out=recipe.leave_out, empty=options.empty, workers=options.workers,
    )  # fmt: skip
