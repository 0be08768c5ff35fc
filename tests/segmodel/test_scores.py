"""Means, spreads and intervals over patients, and how far the model's own estimate of Dice can be believed."""

import math

import numpy as np
import pytest

from segmodel.distances import Distances
from segmodel.scores import Record, VolumeRecord, interval, quality, report


def record(structure, case, dice, z=0, **more):
    return Record(structure, case, z, (dice,) * 20, **more)


def test_the_spread_of_a_structure_is_that_of_its_patients_means():
    records = [record("a", "p", 0.2), record("a", "p", 0.6, 1), record("a", "q", 0.8)]
    figures = report(records, [1])["structures"]["a"]
    assert figures["dice"]["1"] == pytest.approx((0.4 + 0.8) / 2)
    assert figures["sd"]["dice"]["1"] == pytest.approx(np.std([0.4, 0.8], ddof=1))


def test_every_patient_has_a_mean_and_a_spread_over_slices():
    records = [record("a", "p", 0.2), record("a", "p", 0.6, 1), record("a", "q", 0.8)]
    patients = report(records, [1])["structures"]["a"]["per_patient"]
    assert patients["p"]["count"] == 2
    assert patients["p"]["dice"]["1"] == pytest.approx(0.4)
    assert patients["p"]["sd"]["dice"]["1"] == pytest.approx(np.std([0.2, 0.6], ddof=1))
    assert patients["q"]["sd"]["dice"]["1"] is None


def test_several_cases_of_a_patient_are_one_patient_to_the_figures():
    records = [record("a", "first", 0.2, patient="p"), record("a", "second", 0.6, patient="p"), record("a", "q", 0.8)]
    figures = report(records, [1])["structures"]["a"]
    assert (figures["patients"], list(figures["per_patient"])) == (2, ["p", "q"])
    assert figures["dice"]["1"] == pytest.approx((0.4 + 0.8) / 2)


def test_iou_follows_dice_slice_by_slice():
    figures = report([record("a", "p", 0.2), record("a", "p", 1.0, 1)], [1])["structures"]["a"]
    assert figures["iou"]["1"] == pytest.approx((0.2 / 1.8 + 1) / 2)


def test_the_interval_is_that_of_a_plain_bootstrap():
    values = np.array([0.91, 0.85, 0.62, 0.97, 0.88, 0.79, 0.93, 0.55])
    rng = np.random.default_rng(0)
    plain = values[rng.integers(0, 8, (100_000, 8))].mean(axis=1)
    assert interval(values[:, None], seed=1) == pytest.approx(np.percentile(plain, [2.5, 97.5]), abs=0.01)


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).random((6, 1))
    assert interval(values, seed=1) == interval(values, seed=1)
    assert interval(values, seed=1) != interval(values, seed=2)


def test_one_patient_has_no_interval():
    figures = report([record("a", "p", 0.2), record("a", "p", 0.6, 1)], [1])
    assert figures["structures"]["a"]["interval"]["dice"]["1"] is None
    assert figures["structures"]["a"]["sd"]["dice"]["1"] is None
    assert figures["mean"]["interval"]["dice"]["1"] is None


def test_the_interval_of_the_mean_draws_a_patient_with_all_structures():
    # whoever is drawn, the two structures of a patient have the mean 0.5
    records = [record("a", "p", 0.0), record("b", "p", 1.0), record("a", "q", 1.0), record("b", "q", 0.0)]
    result = report(records, [1])
    assert result["structures"]["a"]["interval"]["dice"]["1"] == [0, 1]
    assert result["mean"]["interval"]["dice"]["1"] == [0.5, 0.5]


def test_the_interval_of_the_mean_leaves_out_draws_without_one_of_the_structures():
    records = [record("a", "p", 0.2), record("b", "p", 0.8), record("a", "q", 0.4), record("b", "r", 0.6)]
    # the lowest draw is p, r, r and the highest p, q, q; q alone would give 0.4 and r alone 0.6
    wanted = [(0.2 + (0.8 + 2 * 0.6) / 3) / 2, ((0.2 + 2 * 0.4) / 3 + 0.8) / 2]
    assert report(records, [1])["mean"]["interval"]["dice"]["1"] == pytest.approx(wanted)


def test_the_mean_has_no_interval_where_a_structure_has_one_patient():
    records = [record("a", "p", 0.2), record("b", "p", 0.8), record("a", "q", 0.4)]
    result = report(records, [1])
    assert result["structures"]["a"]["interval"]["dice"]["1"] == [0.2, 0.4]
    assert result["mean"]["dice"]["1"] == pytest.approx((0.3 + 0.8) / 2)
    assert result["mean"]["interval"]["dice"]["1"] is None


def test_an_infinite_distance_is_left_out_and_counted():
    near, far = Distances(3.0, 2.0, 1.0), Distances(*[math.inf] * 3)
    records = [
        record("a", "p", 0.5, distances={1: near}),
        record("a", "p", 0.0, 1, distances={1: far}),
        record("a", "q", 0.0, distances={1: far}),
    ]
    figures = report(records, [1])["structures"]["a"]
    assert [figures[kind]["1"] for kind in ("hd", "hd95", "masd")] == [3, 2, 1]
    assert figures["empty"]["1"] == pytest.approx((0.5 + 1) / 2)
    assert figures["per_patient"]["q"]["hd"]["1"] is None


def test_the_mean_leaves_out_a_structure_without_any_distance():
    far = Distances(*[math.inf] * 3)
    records = [
        record("a", "p", 0.5, distances={1: Distances(3.0, 2.0, 1.0)}),
        record("b", "p", 0.0, distances={1: far}),
    ]
    result = report(records, [1])
    assert result["structures"]["b"]["hd"]["1"] is None
    assert result["mean"]["hd"]["1"] == 3


def test_volumes_have_figures_of_their_own():
    records = [record("a", case, 0.5, distances={1: Distances(1.0, 1.0, 1.0)}) for case in "pq"]
    volumes = [
        VolumeRecord("a", "p", 1, {1: 0.6}, {1: Distances(9.0, 8.0, 7.0)}),
        VolumeRecord("a", "q", 1, {1: 0.8}, {}),
    ]
    result = report(records, [1], volumes)
    figures = result["structures"]["a"]["volume"]
    assert (figures["count"], figures["dice"]["1"]) == (2, pytest.approx(0.7))
    assert figures["interval"]["dice"]["1"] == [0.6, 0.8]
    assert figures["masd"]["1"] == result["mean"]["volume"]["masd"]["1"] == 7
    assert result["structures"]["a"]["dice"]["1"] == 0.5


def test_the_estimate_is_compared_with_dice_after_each_click_and_overall():
    pairs = [((0.9, 0.8), (0.7, 0.9)), ((0.5, 0.6), (0.6, 0.4)), ((0.2, 0.9), (0.1, 1.0))]
    records = [Record("a", "p", z, dice, estimate) for z, (estimate, dice) in enumerate(pairs)]
    result = quality(records, [1, 2])
    estimates, truths = np.array(pairs)[:, 0], np.array(pairs)[:, 1]
    assert result["mae"]["1"] == pytest.approx((0.2 + 0.1 + 0.1) / 3)
    assert result["mae"]["2"] == pytest.approx((0.1 + 0.2 + 0.1) / 3)
    assert result["mae"]["all"] == pytest.approx(np.abs(estimates - truths).mean())
    assert result["r"]["2"] == pytest.approx(np.corrcoef(estimates[:, 1], truths[:, 1])[0, 1])
    assert result["r"]["all"] == pytest.approx(np.corrcoef(estimates.ravel(), truths.ravel())[0, 1])


def test_a_constant_estimate_has_no_correlation_and_a_missing_one_no_error():
    constant = [Record("a", "p", z, (dice,), (0.5,)) for z, dice in enumerate((0.2, 0.9))]
    assert quality(constant, [1])["r"] == {"1": None, "all": None}
    missing = [Record("a", "p", 0, (0.2,), (math.nan,)), Record("a", "p", 1, (0.3,))]
    assert quality(missing, [1]) == {"mae": {"1": None, "all": None}, "r": {"1": None, "all": None}}


def test_a_record_survives_json():
    kept = Record(
        "a", "p", 3, (0.1, 0.2), (math.nan, 0.5), {1: Distances(*[math.inf] * 3), 2: Distances(3.0, 2.0, 1.0)}
    )
    row = kept.to_json()
    assert row["quality"] == [None, 0.5]
    assert row["distances"]["1"] == [None] * 3
    back = Record.from_json(row)
    assert (back.key, back.dice, back.distances) == (kept.key, kept.dice, kept.distances)
    assert math.isnan(back.quality[0])
