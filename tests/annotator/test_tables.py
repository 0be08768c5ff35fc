"""Tables as CSV: what a spreadsheet would compute is shown instead."""

from __future__ import annotations

import csv
import io

import pytest

from annotator import tables


def test_a_table_reads_back_as_it_was() -> None:
    text = tables.to_csv(["name", "n"], [["liver, left", 3], ["", None], ['"so"', -2.5]])
    assert list(csv.reader(io.StringIO(text))) == [["name", "n"], ["liver, left", "3"], ["", ""], ['"so"', "-2.5"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "-", "=cmd|' /C calc'!A0"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    (_, [cell]) = csv.reader(io.StringIO(tables.to_csv(["name"], [[text]]), newline=""))
    assert cell == f"'{text}"


@pytest.mark.parametrize("number", [-3, -3.25, "-3.25", 0, "1e3"])
def test_a_number_stays_one(number: object) -> None:
    assert tables.to_csv(["n"], [[number]]).splitlines()[1] == str(number)


def test_a_file_to_save() -> None:
    answer = tables.download("a\r\n", "figures.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="figures.csv"'
    assert answer["Content-Type"].startswith("text/csv")
