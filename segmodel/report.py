"""The files of an evaluation: report.json, records.csv, report.md with its plots, all of them whole or not there."""

from __future__ import annotations

import contextlib
import csv
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import scores
from .distances import Distances
from .evaluation import Example
from .files import write_whole
from .metrics import iou_of_dice
from .scores import NOC_TARGETS, ComparisonError, Record

TITLES = {"dice": "Dice", "hd": "HD, mm", "hd95": "HD95, mm", "masd": "MASD, mm"}


class ReportError(ValueError):
    """A file that is not one of our reports; the message is one sentence."""


# ------------------------------------------------------------------------------------------------ writing


def write_report(result: Mapping[str, Any], out: Path) -> None:
    """`out/report.json` alone."""
    with folder(out) as partial:
        _write_json(result, partial)


def write(result: Mapping[str, Any], examples: Sequence[Example], out: Path) -> None:
    """All files of a result of `evaluation.evaluate` into the folder `out`, with a picture of each structure's examples."""
    from . import plots  # matplotlib takes its time, and others only read reports

    write_plain(result, out)
    records = read_records(result)
    drawn = out / "plots"
    drawn.mkdir()
    plots.dice_curves(scores.curves(records, result["seed"]), drawn / "dice.png")
    plots.boxes(records, result["clicks"], drawn / "boxes.png")
    pictures = {}
    for number, structure in enumerate(dict.fromkeys(example.record.structure for example in examples), 1):
        pictures[structure] = f"slices-{number}.png"  # a structure's name need not be a file's name
        plots.slices(
            [example for example in examples if example.record.structure == structure], drawn / pictures[structure]
        )
    if result["quality"]["mae"]["all"] is not None:
        plots.calibration(records, result["clicks"], drawn / "quality.png")
    (out / "report.md").write_text(markdown(result, pictures))


def write_plain(result: Mapping[str, Any], out: Path) -> None:
    """report.json and records.csv alone."""
    _write_json(result, out)
    _write_csv(read_records(result), result["clicks"], out / "records.csv")


def write_worst(examples: Sequence[Example], out: Path) -> None:
    """worst.json in the folder `out`: of each slice what `_drawn` says, for a program that shows them."""
    (out / "worst.json").write_text(json.dumps([_drawn(example) for example in examples]))


def _drawn(example: Example) -> dict[str, Any]:
    """Which structure of which slice, the Dice after the last of the clicks [y, x, positive], and the mask of then and the
    truth as the pixels [first, end) of the flattened slice [y, x].
    """
    record, last = example.record, example.answers[-1]
    return {
        "structure": record.structure,
        "case": record.case,
        "z": record.z,
        "dice": record.dice[len(example.answers) - 1],
        "clicks": [[click.y, click.x, click.positive] for click in last.clicks],
        "mask": _runs(last.mask),
        "truth": _runs(example.truth),
    }


def _runs(mask: NDArray[np.bool_]) -> list[list[int]]:
    edges = np.flatnonzero(np.diff(mask.ravel().astype(np.int8), prepend=0, append=0))
    found: list[list[int]] = edges.reshape(-1, 2).tolist()
    return found


def write_volumes(result: Mapping[str, Any], out: Path) -> None:
    """report.json, report.md and plots/volumes.png of a result of `volume_user.evaluate_volumes` into the folder `out`."""
    from . import plots

    _write_json(result, out)
    drawn = out / "plots"
    drawn.mkdir()
    plots.volume_curves(result["records"], drawn / "volumes.png")
    parts = [
        "# Whole structures",
        f"3-D Dice after so many clicks on all slices together, {result['placement']} placement: `{result['command']}`",
        volume_table(result),
        "![Dice against clicks](plots/volumes.png)",
    ]
    (out / "report.md").write_text("\n\n".join(parts) + "\n")


@contextlib.contextmanager
def folder(out: Path) -> Iterator[Path]:
    """A hidden folder inside `out` to write to; its files move into `out` if all goes well, report.json last.

    What else is in `out` stays. Raises OSError, at once, where `out` cannot be written.
    """
    new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=out) as name:
            partial = Path(name)
            yield partial
            files = [file for file in partial.rglob("*") if file.is_file()]
            for file in sorted(files, key=lambda file: file.name == "report.json"):
                target = out / file.relative_to(partial)
                target.parent.mkdir(exist_ok=True)
                file.replace(target)
    except BaseException:
        if new:
            with contextlib.suppress(OSError):
                out.rmdir()
        raise


def _write_json(result: Mapping[str, Any], out: Path) -> None:
    """Indented, except that each record is a line."""
    records = ",\n".join("  " + json.dumps(row, allow_nan=False) for row in result["records"])
    rest = {name: value for name, value in result.items() if name != "records"}
    text = json.dumps(rest, indent=1, allow_nan=False).removesuffix("\n}")
    (out / "report.json").write_text(f'{text},\n "records": [\n{records}\n ]\n}}\n')


def _write_csv(records: Sequence[Record], clicks: Sequence[int], file: Path) -> None:
    measured = records[0].distances
    kinds = ["dice", "iou", "quality", *(Distances._fields if measured else ())]
    header = ["structure", "case", "z", *(f"{kind}_{k}" for kind in kinds for k in clicks)]
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow([*header, *(f"noc_{q}" for q in NOC_TARGETS)])
        for record in records:
            values = [f"{value:.6g}" for value in _cells(record, clicks)]
            rows.writerow([*record.key, *values, *(record.clicks_to(q / 100) for q in NOC_TARGETS)])


def _cells(record: Record, clicks: Sequence[int]) -> Iterator[float]:
    yield from (record.dice[k - 1] for k in clicks)
    yield from (iou_of_dice(record.dice[k - 1]) for k in clicks)
    yield from (record.quality[k - 1] for k in clicks)
    for kind in Distances._fields if record.distances else ():
        yield from (getattr(record.distances[k], kind) for k in clicks)


# ------------------------------------------------------------------------------------------------ reading


def read(file: Path) -> dict[str, Any]:
    """A report.json. Raises ReportError."""
    try:
        result = json.loads(file.read_text())
    except FileNotFoundError:
        raise ReportError(f"There is no report {file}.") from None
    except (IsADirectoryError, UnicodeDecodeError, json.JSONDecodeError):
        raise ReportError(f"{file} is not JSON.") from None
    if not isinstance(result, dict) or not {"structures", "mean", "placement", "seed"} <= result.keys():
        raise ReportError(f"{file} is not a report of an evaluation.")
    if not result.get("records") or "clicks" not in result:
        raise ReportError(f"{file} has no records of single slices; evaluate again.")
    try:
        read_records(result)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ReportError(f"{file} has records that cannot be read.") from None
    return result


def read_records(result: Mapping[str, Any]) -> list[Record]:
    return [Record.from_json(row) for row in result["records"]]


def comparison(a: Mapping[str, Any], b: Mapping[str, Any], same: bool = False) -> dict[str, Any]:
    """The paired differences b − a of two reports, as `scores.compare` gives them: by structure and of the `mean`.

    With `same` the reports must hold the same slices after the same clicks, so that nothing is left out of the differences.
    Raises ComparisonError.
    """
    for name in ("placement", "seed"):
        if a[name] != b[name]:
            raise ComparisonError(f"The reports differ in their {name}: {a[name]} and {b[name]}.")
    clicks = [k for k in a["clicks"] if k in b["clicks"]]
    if not clicks:
        raise ComparisonError("The reports have no number of clicks in common.")
    before, after = read_records(a), read_records(b)
    if same:
        _check_same(a["clicks"], b["clicks"], before, after)
    return scores.compare(before, after, clicks, a["seed"])


def _check_same(
    clicks: Sequence[int], others: Sequence[int], before: Sequence[Record], after: Sequence[Record]
) -> None:
    if sorted(clicks) != sorted(others):
        raise ComparisonError(
            f"The reports differ in their clicks: {', '.join(map(str, clicks))} and {', '.join(map(str, others))}."
        )
    alone = {record.key for record in before} ^ {record.key for record in after}
    if alone:
        structure, case, z = min(alone)
        raise ComparisonError(
            f"The reports are of different data: {structure} on slice {z} of {case} is in one of them alone."
        )


def write_comparison(result: Mapping[str, Any], file: Path) -> None:
    """As JSON or, where the name does not end so, as a Markdown table. Raises OSError."""
    text = json.dumps(result, indent=1) if file.suffix == ".json" else comparison_table(result)
    write_whole(file, text + "\n")


# ------------------------------------------------------------------------------------------------ Markdown


def table(result: Mapping[str, Any]) -> str:
    """Dice and NoC@85 as a Markdown table, structures by clicks."""
    clicks = list(result["mean"]["dice"])
    rows = []
    for name, figures in _rows(result):
        scores = [_number(figures["dice"][k], 3) for k in clicks]
        rows.append([name, *_counts(figures), *scores, _number(figures["noc"]["85"], 1)])
    return _grid(["structure", "slices", "patients", *(f"Dice@{k}" for k in clicks), "NoC@85"], rows, text=1)


def volume_table(result: Mapping[str, Any]) -> str:
    """3-D Dice as a Markdown table, structures by clicks in all."""
    rows = []
    for name, figures in result["structures"].items():
        scores = [_number(value, 3) for value in figures["dice"].values()]
        rows.append([name, str(figures["count"]), _number(figures["slices"], 0), *scores])
    head = [f"Dice@{k}" for k in result["clicks"]]
    return _grid(["structure", "volumes", "slices each", *head], rows, text=1)


def comparison_table(result: Mapping[str, Any]) -> str:
    """A result of `comparison` as a Markdown table; bold where the interval leaves out 0."""
    clicks, targets = list(result["mean"]["dice"]), list(result["mean"]["noc"])
    head = [*(f"ΔDice@{k}" for k in clicks), *(f"ΔNoC@{q}" for q in targets)]
    rows = []
    for name, figures in _rows(result):
        cells = [_difference(figures, "dice", k, 3) for k in clicks] + [
            _difference(figures, "noc", q, 1) for q in targets
        ]
        rows.append([name, *_counts(figures), *cells])
    return _grid(["structure", "slices", "patients", *head], rows, text=1)


def markdown(result: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """report.md; `pictures` names the file in plots/ that shows a structure's slices."""
    clicks = [str(k) for k in result["clicks"]]
    parts = ["# Evaluation", _circumstances(result), *_of_overlap(result, clicks)]
    if "hd" in result["mean"]:
        parts += _of_distances(result, clicks)
    if "volume" in result["mean"]:
        parts += _of_volumes(result, clicks)
    parts += ["## Patients", "Dice: mean ± SD of a patient's slices.", _patients(result, clicks)]
    if result["quality"]["mae"]["all"] is not None:
        parts += ["## The model's own estimate of Dice", _quality(result, [*clicks, "all"])]
        parts += ["![Estimated against true Dice](plots/quality.png)"]
    if pictures:
        parts += ["## Slices", "Median and worst slice of each structure by Dice after the last clicks that are shown."]
        parts += [f"### {name}\n\n![{name}](plots/{file})" for name, file in pictures.items()]
    return "\n\n".join(parts) + "\n"


def _of_overlap(result: Mapping[str, Any], clicks: Sequence[str]) -> list[str]:
    return [
        "## Dice",
        _of_clicks(result, "dice", clicks, 3),
        "Mean over the slices of a patient, then over patients [95 % bootstrap interval over patients].",
        "![Dice against clicks](plots/dice.png)",
        "Line: mean, band: its interval, grey: the other structures.",
        "![Box plots](plots/boxes.png)",
        "Slices: quartiles and median, whiskers to 1.5 interquartile ranges, and what lies beyond.",
        "## Intersection over union",
        _of_clicks(result, "iou", clicks, 3),
        "## Number of clicks",
        _noc(result),
        f"Clicks until the Dice is reached, at most {scores.NOC_CAP}, and the share of slices that never reach it.",
    ]


def _of_distances(result: Mapping[str, Any], clicks: Sequence[str]) -> list[str]:
    parts = ["## Surface distances in the slice"]
    for kind in ("masd", "hd95", "hd"):
        parts += [f"### {TITLES[kind]}", _of_clicks(result, kind, clicks, 1)]
    return [*parts, "An empty mask has no distance and is left out of these means.", _empty(result, clicks)]


def _of_volumes(result: Mapping[str, Any], clicks: Sequence[str]) -> list[str]:
    volumes = {
        "structures": {name: figures["volume"] for name, figures in result["structures"].items()},
        "mean": result["mean"]["volume"],
    }
    parts = ["## Whole volumes", "All labelled slices of a patient together, after so many clicks on each."]
    for kind in [kind for kind in ("dice", "masd", "hd95", "hd") if kind in volumes["mean"]]:
        parts += [f"### {TITLES[kind]}", _of_clicks(volumes, kind, clicks, 3 if kind == "dice" else 1)]
    if "hd" not in volumes["mean"]:
        parts.append("No 3-D distances: they were not asked for, or the slices are not neighbours.")
    return parts


def _circumstances(result: Mapping[str, Any]) -> str:
    slices = "every labelled slice" if result["every"] == 1 else f"one labelled slice in {result['every']}"
    known = {
        "model": result.get("model"),
        "part of the data": result.get("split"),
        "slices": f"{slices}: {sum(figures['count'] for figures in result['structures'].values())} structure-slices",
        "clicks": f"placement {result['placement']}, seed {result['seed']}"
        + (", with the previous mask" if result["previous"] else ""),
        "time": f"median {result['ms_per_click']:.1f} ms per click, {result['encode_ms']:.1f} ms to encode a slice",
        "command": f"`{result['command']}`" if "command" in result else None,
    }
    return _grid(["", ""], [[name, str(value)] for name, value in known.items() if value], text=2)


def _of_clicks(result: Mapping[str, Any], kind: str, clicks: Sequence[str], digits: int) -> str:
    rows = [
        [name, *(_with_interval(figures, kind, k, digits) for k in clicks if kind in figures)]
        for name, figures in _rows(result)
    ]
    return _grid(["structure", *(_clicks(k) for k in clicks)], rows, text=1)


def _empty(result: Mapping[str, Any], clicks: Sequence[str]) -> str:
    """Shares of the structures that have any."""
    rows = [
        [name, *(f"{100 * figures['empty'][k]:.1f} %" for k in clicks)]
        for name, figures in _rows(result)
        if any(figures["empty"].values())
    ]
    return _grid(["empty masks", *(_clicks(k) for k in clicks)], rows, text=1) if rows else "No mask was empty."


def _noc(result: Mapping[str, Any]) -> str:
    targets = [str(q) for q in NOC_TARGETS]
    rows = []
    for name, figures in _rows(result):
        cells = [_with_interval(figures, "noc", q, 1) for q in targets]
        rows.append([name, *cells, *(f"{100 * figures['never'][q]:.0f} %" for q in targets)])
    return _grid(["structure", *(f"NoC@{q}" for q in targets), *(f"never {q}" for q in targets)], rows, text=1)


def _patients(result: Mapping[str, Any], clicks: Sequence[str]) -> str:
    rows = []
    for name, figures in result["structures"].items():
        for case, patient in figures["per_patient"].items():
            cells = [
                _number(patient["dice"][k], 3)
                + (f" ± {sd:.3f}" if (sd := patient["sd"]["dice"][k]) is not None else "")
                for k in clicks
            ]
            rows.append([name, case, str(patient["count"]), *cells])
    return _grid(["structure", "patient", "slices", *(f"Dice@{k}" for k in clicks)], rows, text=2)


def _quality(result: Mapping[str, Any], clicks: Sequence[str]) -> str:
    rows = [[k, _number(result["quality"]["mae"][k], 3), _number(result["quality"]["r"][k], 2)] for k in clicks]
    return _grid(["clicks", "mean absolute error", "correlation"], rows, text=1)


def _rows(result: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [*result["structures"].items(), ("**mean**", result["mean"])]


def _counts(figures: Mapping[str, Any]) -> list[str]:
    return [str(figures.get("count", "")), str(figures.get("patients", ""))]


def _clicks(k: str) -> str:
    return "1 click" if k == "1" else f"{k} clicks"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _with_interval(figures: Mapping[str, Any], kind: str, key: str, digits: int) -> str:
    limits = figures["interval"][kind][key]
    shown = f" [{limits[0]:.{digits}f}, {limits[1]:.{digits}f}]" if limits else ""
    return _number(figures[kind][key], digits) + shown


def _difference(figures: Mapping[str, Any], kind: str, key: str, digits: int) -> str:
    limits = figures["interval"][kind][key]
    value = f"{figures[kind][key]:+.{digits}f}"
    if not limits:
        return value
    value = f"**{value}**" if limits[0] > 0 or limits[1] < 0 else value
    return f"{value} [{limits[0]:+.{digits}f}, {limits[1]:+.{digits}f}]"


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]], text: int) -> str:
    """A Markdown table whose first `text` columns are aligned to the left, the rest to the right."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * text + "---:|" * (len(head) - text)]
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    return "\n".join(lines)
