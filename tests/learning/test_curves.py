"""A long training's log becomes a short curve that keeps its ends and its validations."""

from __future__ import annotations

import json

import pytest

from annotator.learning import curves


@pytest.fixture
def log(tmp_path):
    def write(lines, rest=""):
        file = tmp_path / "log.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines) + rest)
        return file

    return write


def test_a_short_log_is_told_as_it_is(log):
    look = {"dice": {"1": 0.5, "5": 0.7}, "structures": {}}
    file = log(
        [{"step": 0, "validation": look}, {"step": 1, "loss": 0.9}, {"step": 2, "loss": 0.8, "validation": look}]
    )
    assert curves.curve(file) == [
        {"step": 0, **look}, {"step": 1, "loss": 0.9}, {"step": 2, "loss": 0.8}, {"step": 2, **look},
    ]  # fmt: skip


def test_a_long_one_is_thinned(log):
    look = {"dice": {"1": 0.5}}
    points = curves.curve(log([{"step": n, "loss": float(n), "validation": look} for n in range(1, 12_001)]))
    assert len(points) <= curves.MOST_LOSSES + curves.MOST_LOOKS
    assert points[-1] == {"step": 12_000, **look} and points[-2]["step"] == 12_000
    first = points[0]
    assert first == {"step": 60, "loss": 30.5}  # the mean of the steps 1 to 60


def test_a_line_that_is_being_written_waits(log):
    assert curves.curve(log([{"step": 1, "loss": 0.9}], '{"step": 2, "lo')) == [{"step": 1, "loss": 0.9}]


def test_news_only_where_the_log_has_grown(log, tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "EVERY", 0.0)
    seen = curves.Log(tmp_path / "log.jsonl")
    assert seen.news() is None
    log([{"step": 1, "loss": 0.9}])
    assert seen.news() == [{"step": 1, "loss": 0.9}] and seen.news() is None
