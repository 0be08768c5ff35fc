"""python -m segmodel compare"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare", help="the difference of two evaluations, slice by slice, with its interval over patients"
    )
    parser.add_argument("first", type=Path, metavar="A.json", help="report.json of an evaluation")
    parser.add_argument("second", type=Path, metavar="B.json", help="another one; the differences are B − A")
    parser.add_argument(
        "--same", action="store_true", help="refuse reports that do not hold the same slices after the same clicks"
    )
    parser.add_argument("--out", type=Path, help="write them to a file as well, .json or .md")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import report

    result = report.comparison(report.read(options.first), report.read(options.second), options.same)
    table = report.comparison_table(result)
    if options.out:
        report.write_comparison(result, options.out)
    print(table)
