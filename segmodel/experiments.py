"""The paper's four experiments on any data set, each of which goes on where it stopped.

* `crossval`: k folds by patient × a list of K, the training's prediction passes (figures 4 to 6),
* `transfer`: structures of other data that the training knew, or did not know (table II),
* `per_structure`: every structure after five clicks a slice (tables III and IV, figure 8).

Every training and every evaluation has a folder of its own. A finished evaluation is read, a broken training is gone on with.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import checkpoint, evaluation, plots, report, scores
from .dataset import Dataset, Parts, folds
from .files import write_whole
from .grid import Grid
from .predictor import Predictor
from .preparation import on_grid, provenance, trained_structures
from .processes import Processes
from .recipe import Recipe
from .training import train

PUBLISHED: dict[str, dict[str, Any]] = {
    "known": {"what": "spleen, Decathlon task 9", "dice": {"1": 0.89, "2": 0.93, "5": 0.95, "10": 0.96}},
    "unknown": {
        "what": "colon cancer, Decathlon task 10",
        "dice": {"1": 0.64, "2": 0.72, "5": 0.81, "10": 0.87, "15": 0.89},
    },
    "per-structure": {"what": "mean of the organs of BCV", "dice": {"5": 0.94}},
}
"""Mean Dice by clicks that the paper reports on its own data, as far as they are on record here."""

FIGURES = {"dice": "Dice", "masd": "mean surface distance, mm", "hd": "Hausdorff distance, mm"}


class ExperimentError(ValueError):
    """An experiment that cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Laboratory:
    """Where trainings and evaluations of one experiment are made, and how much of each."""

    out: Path
    recipe: Recipe
    cache: Path
    clicks: Sequence[int]
    processes: Processes = field(default_factory=Processes)
    minutes: float | None = None  # of each training; its steps may end it sooner
    every: int = 1  # one labelled slice in so many is evaluated
    seed: int = 4242

    def begin(self, described: Mapping[str, Any]) -> None:
        """Claims the folder for what is `described`. Raises ExperimentError where it holds another experiment."""
        text = json.dumps({**described, "recipe": dataclasses.asdict(self.recipe), "every": self.every}, indent=1)
        file = self.out / "experiment.json"
        with self.processes.first_alone():
            if file.exists() and file.read_text() != text:
                raise ExperimentError(f"{self.out} holds another experiment; take another folder.")
            if not file.exists():
                write_whole(file, text)

    def trained(self, name: str, parts: Parts, **changes: Any) -> Path:
        """The checkpoint of a training on these cases: begun, gone on with, or found ready."""
        folder, recipe = self.out / name, dataclasses.replace(self.recipe, **changes)
        with self.processes.first_alone():
            grid = Grid(recipe.spacing)
            slices = on_grid(parts, grid, recipe.size, recipe.merge, self.cache, leave_out=recipe.leave_out)
        resume = (folder / "state.pt").exists()
        return train(recipe, slices, folder, provenance(parts, slices), self.processes, self.minutes, resume=resume)

    def evaluated(self, name: str, model: Path | str, parts: Parts) -> dict[str, Any]:
        """The report of a model on these cases, made now or found ready."""
        folder = self.out / name
        with self.processes.first_alone():
            if not (folder / "report.json").exists():
                self._evaluate(folder, model, parts)
        return report.read(folder / "report.json")

    def _evaluate(self, folder: Path, model: Path | str, parts: Parts) -> None:
        predictor = Predictor(checkpoint.load(model), str(self.processes.device))
        with report.folder(folder) as partial:
            result = evaluation.evaluate(
                parts, predictor, "paper", self.clicks, self.seed, self.every, distances="slice"
            )
            examples = evaluation.examples(parts, predictor, result)
            report.write({**result, "model": str(model)}, examples, partial)


def crossval(lab: Laboratory, datasets: Sequence[Dataset], count: int, passes: Sequence[int]) -> dict[str, Any]:
    """Mean and SD over patients after k clicks, of trainings with K passes: `bars.<figure>.<K>.<k>`.

    Every patient is validated once for each K, by a training that has not seen it; the test patients of a split are left
    alone. Raises DatasetError for too few patients.
    """
    parts = [(dataset, [case for case in dataset.cases if case.split != "test"]) for dataset in datasets]
    split = [folds(cases, count, lab.seed) for _, cases in parts]
    lab.begin({"experiment": "crossval", "data": _described(parts), "folds": count, "passes": list(passes)})
    reports = {}
    for k in passes:
        records = []
        for number in range(count):
            training = [(dataset, fold[number][0]) for dataset, fold in zip(datasets, split, strict=True)]
            validation = [(dataset, fold[number][1]) for dataset, fold in zip(datasets, split, strict=True)]
            name = f"fold-{number + 1}/K-{k}"
            result = lab.evaluated(f"{name}/scores", lab.trained(name, training, passes=k), validation)
            records += report.read_records(result)
        reports[k] = scores.report(records, lab.clicks)
    bars = {kind: {k: _over_patients(found, kind) for k, found in reports.items()} for kind in FIGURES}
    return {"experiment": "crossval", "data": _described(parts), "folds": count, "bars": bars}


def transfer(
    lab: Laboratory,
    training: Parts,
    on: Parts,
    structures: Sequence[str],
    known: bool,
    model: Path | str | None = None,
) -> dict[str, Any]:
    """The scores of `structures` on other cases by a model that was trained with them (`known`) or without them.

    `model` is one that is trained already. Raises ExperimentError where it does not fit the question.
    """
    kind = "known" if known else "unknown"
    part = [(_only(dataset, structures), cases) for dataset, cases in on]
    others = [name for name in lab.recipe.leave_out if name not in structures]
    left_out = tuple(others) if known else (*others, *structures)
    if model:
        seen: Sequence[str] = checkpoint.load(model).provenance.get("structures", [])
    else:
        seen = trained_structures(training, lab.recipe.merge, left_out)
    for structure in structures:
        if (structure in seen) != known:
            raise ExperimentError(f"The model {'never' if known else 'also'} trained {structure}.")
    lab.begin({"experiment": kind, "on": _described(part), "model": str(model)})
    file = model if model else lab.trained("model", training, leave_out=left_out)
    return {"experiment": kind, "data": _described(part), "result": lab.evaluated("scores", file, part)}


def per_structure(lab: Laboratory, training: Parts, on: Parts, model: Path | str | None = None) -> dict[str, Any]:
    """The scores of every structure, above all after five clicks a slice."""
    lab.begin({"experiment": "per-structure", "on": _described(on), "model": str(model)})
    file = model if model else lab.trained("model", training)
    return {"experiment": "per-structure", "data": _described(on), "result": lab.evaluated("scores", file, on)}


def write(found: Mapping[str, Any], lab: Laboratory, command: str) -> str:
    """`report.md` with its plots and `experiment-report.json` in the laboratory's folder; returns the page."""
    pages = [f"# Experiment {found['experiment']}", _circumstances(found, lab, command)]
    if "bars" in found:
        for kind, title in FIGURES.items():
            values = {int(k): {int(c): cell for c, cell in row.items()} for k, row in found["bars"][kind].items()}
            plots.grouped_bars(values, lab.out / f"{kind}.png", title)
            pages += [
                f"## {title[0].upper()}{title[1:]}",
                _bars(values, 3 if kind == "dice" else 1),
                f"![{title}]({kind}.png)",
            ]
    else:
        pages += ["## Dice, beside the paper's", _beside(found), report.table(found["result"])]
        pages += ["All figures and pictures: [scores](scores/report.md).", "![Box plots](scores/plots/boxes.png)"]
    page = "\n\n".join(pages) + "\n"
    write_whole(lab.out / "experiment-report.json", json.dumps({**found, "command": command}, indent=1) + "\n")
    write_whole(lab.out / "report.md", page)
    return page


def _described(parts: Parts) -> dict[str, Any]:
    return {
        dataset.name: {"patients": len({c.patient for c in cases}), "structures": list(dataset.structures.values())}
        for dataset, cases in parts
    }


def _only(dataset: Dataset, structures: Sequence[str]) -> Dataset:
    """The data set with these structures alone. Raises ExperimentError where it has none of them."""
    kept = {value: name for value, name in dataset.structures.items() if name in structures}
    if not kept:
        raise ExperimentError(f"The data set {dataset.name} has no {' or '.join(structures)}.")
    return dataclasses.replace(dataset, structures=kept, unknown=dataset.unknown & set(kept.values()))


def _over_patients(result: Mapping[str, Any], kind: str) -> dict[int, tuple[float, float]]:
    """Mean and SD over the patients of each patient's mean over the structures, by clicks."""
    rows: dict[str, list[Mapping[str, float | None]]] = {}
    for figures in result["structures"].values():
        for patient, of_patient in figures["per_patient"].items():
            rows.setdefault(patient, []).append(of_patient[kind])
    spread = {}
    for k in next(iter(rows.values()))[0]:
        values = [[value for row in members if (value := row[k]) is not None] for members in rows.values()]
        means = [statistics.fmean(members) for members in values if members]
        if means:
            spread[int(k)] = (statistics.fmean(means), statistics.stdev(means) if len(means) > 1 else 0.0)
    return spread


def _circumstances(found: Mapping[str, Any], lab: Laboratory, command: str) -> str:
    data = "; ".join(f"{name} ({about['patients']} patients)" for name, about in found["data"].items())
    taken = "every labelled slice" if lab.every == 1 else f"one labelled slice in {lab.every}"
    budget = f"{lab.recipe.steps} steps" + (f" or {lab.minutes:g} minutes" if lab.minutes else "")
    return "\n".join(
        [
            f"* data: {data}; {taken} is evaluated",
            f"* training: recipe `{lab.recipe.name}`, {budget}, seed {lab.recipe.seed}",
            "* clicks: the paper's random placement, seed " + str(lab.seed),
            f"* command: `{command}`",
        ]
    )


def _bars(values: Mapping[int, Mapping[int, tuple[float, float]]], digits: int) -> str:
    clicks = sorted({k for row in values.values() for k in row})
    lines = ["| trained with K | " + " | ".join(f"after {k}" for k in clicks) + " |", "|---|" + "---:|" * len(clicks)]
    for passes, row in values.items():
        cells = (f"{row[k][0]:.{digits}f} ± {row[k][1]:.{digits}f}" if k in row else "–" for k in clicks)
        lines.append(f"| {passes} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "Mean ± SD over patients, each validated by a training that has not seen it."])


def _beside(found: Mapping[str, Any]) -> str:
    published, mean = PUBLISHED[found["experiment"]], found["result"]["mean"]["dice"]
    clicks = sorted({*mean, *published["dice"]}, key=int)
    rows = {f"paper: {published['what']}": published["dice"], "here: " + ", ".join(found["result"]["structures"]): mean}
    lines = ["| Dice after | " + " | ".join(clicks) + " |", "|---|" + "---:|" * len(clicks)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[k]:.3f}" if k in row else "–" for k in clicks) + " |")
    return "\n".join(lines)
