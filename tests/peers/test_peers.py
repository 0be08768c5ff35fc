"""The other methods of `make bench-peers` answer clicks sensibly, and the bench counts, skips and refuses as it says.

What needs a package that only the bench installs is skipped elsewhere; `.venv-peers/bin/python -m pytest tests/peers` runs all.
"""

import dataclasses
import importlib.util
import json

import numpy as np
import pytest
import torch

from segmodel.clicks import Click
from segmodel.evaluation import evaluate
from segmodel.grid import Grid
from segmodel.inputs import InputSpec
from segmodel.intensity import Intensity
from segmodel.layouts import read
from segmodel.metrics import dice
from segmodel.predictor import Prediction
from segmodel.recipe import Recipe
from tests.peers import bench, classical, steps, tune
from tests.segmodel.toys import UNET, checkpoint, decathlon, disk, grid_slices

NEEDED = {"random-walker": "skimage", "grabcut": "cv2", "graph-cut": "maxflow", "geodesic": "skimage"}
SHAPE = (120, 160)


def needs(package):
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} comes with make bench-peers only")


@pytest.fixture(params=[pytest.param(name, marks=needs(NEEDED[name])) for name in classical.METHODS])
def method(request):
    return classical.METHODS[request.param]()


def two_organs():
    """Return a noisy slice of 1 mm pixels, and its two bright disks of one intensity, a bridge of tissue between them."""
    rng = np.random.default_rng(3)
    left, right = disk(SHAPE, (60, 50), 18), disk(SHAPE, (60, 100), 18)
    bridge = np.zeros(SHAPE, bool)
    bridge[57:63, 60:90] = True
    hu = np.where(left | right | bridge, 110, 10) + rng.normal(0, 12, SHAPE)
    return hu.astype(np.int16), left, right


def one_organ():
    """Return a noisy slice of 1 mm pixels, and its bright disk."""
    organ = disk(SHAPE, (60, 50), 18)
    hu = np.where(organ, 110, 10) + np.random.default_rng(4).normal(0, 12, SHAPE)
    return hu.astype(np.int16), organ


def answer(method, hu, clicks):
    return method.predict(method.encode(hu, (1.0, 1.0)), clicks).mask


# ------------------------------------------------------------------------------------------------ without learning


def test_a_click_in_an_organ_finds_it(method):
    hu, organ = one_organ()
    mask = answer(method, hu, [Click(60, 50, True)])
    assert (mask.shape, mask.dtype) == (SHAPE, bool)
    assert dice(mask, organ) > 0.9


def test_a_background_click_takes_the_neighbour_away(method):
    hu, left, _ = two_organs()
    mask = answer(method, hu, [Click(60, 50, True), Click(60, 100, False), Click(60, 76, False)])
    assert dice(mask, left) > 0.85
    assert not mask[60, 100]


def test_every_click_is_on_its_own_side_of_the_outline(method):
    hu, *_ = two_organs()
    clicks = [Click(60, 50, True), Click(59, 51, False), Click(20, 20, True), Click(61, 76, False), Click(0, 159, True)]
    mask = answer(method, hu, clicks)
    assert [bool(mask[click.y, click.x]) for click in clicks] == [click.positive for click in clicks]


def test_nothing_is_found_beyond_the_margin(method):
    hu = np.random.default_rng(5).normal(100, 10, (300, 300)).astype(np.int16)
    rows, columns = np.nonzero(answer(method, hu, [Click(150, 100, True)]))
    assert np.abs(rows - 150).max() <= method.margin
    assert np.abs(columns - 100).max() <= method.margin


def test_clicks_in_the_corners_are_answered(method):
    hu, *_ = two_organs()
    for y, x in ((0, 0), (SHAPE[0] - 1, SHAPE[1] - 1)):
        assert answer(method, hu, [Click(y, x, True)])[y, x]


def test_without_a_foreground_click_there_is_no_mask(method):
    hu, *_ = two_organs()
    assert not answer(method, hu, []).any()
    assert not answer(method, hu, [Click(60, 50, False)]).any()


def test_the_same_clicks_give_the_same_mask(method):
    hu, *_ = two_organs()
    clicks = [Click(60, 50, True), Click(60, 100, False)]
    assert np.array_equal(answer(method, hu, clicks), answer(method, hu, clicks))


def test_distances_are_in_millimetres(method):
    hu, organ = one_organ()
    coarse = method.predict(method.encode(hu[::2, ::2], (2.0, 2.0)), [Click(30, 25, True)]).mask
    assert dice(coarse, organ[::2, ::2]) > 0.85


def test_simulated_clicks_lead_to_the_whole(method, tmp_path):
    hu, left, right = two_organs()
    cases = {"ct_1": (hu[None], (left + 2 * right)[None].astype(np.uint8))}
    dataset = read(decathlon(tmp_path, cases))
    scores = evaluate([(dataset, dataset.cases)], method, clicks=(1, 15), distances="none")["mean"]["dice"]
    assert scores["15"] > 0.9


def test_every_setting_has_choices_to_tune_it():
    for kind in classical.METHODS.values():
        assert set(kind.__dataclass_fields__) <= set(tune.CHOICES)


def test_tuning_keeps_what_helps_and_nothing_else(monkeypatch):
    monkeypatch.setattr(tune, "score", lambda method, items: method.margin - abs(method.contrast - 30))
    best = classical.Geodesic(margin=max(tune.CHOICES["margin"]), contrast=30)
    assert tune.tuned(classical.Geodesic(), []) == best


# -------------------------------------------------------------------------------------------------------- DeepGrow


class Echo(torch.nn.Module):
    """Find what lies within a few pixels of the foreground clicks on the network's own grid."""

    def forward(self, inputs):
        return 100 * (inputs[:, 1:2] - 0.2)


@pytest.fixture
def deepgrow():
    pytest.importorskip("monai", reason="monai comes with make bench-peers only")
    from tests.peers import deepgrow

    return deepgrow


@pytest.fixture
def echo(deepgrow):
    loaded = checkpoint(UNET, Grid(1.0, 16))
    object.__setattr__(loaded, "network", Echo())
    return deepgrow.DeepGrow(loaded)


@pytest.mark.parametrize("spacing", [(0.7, 0.7), (1.0, 1.3)])
@pytest.mark.parametrize("places", [[(200, 200)], [(0, 0)], [(399, 419)], [(40, 30), (380, 400)]])
def test_deepgrow_answers_where_the_click_is(echo, spacing, places):
    encoded = echo.encode(np.zeros((400, 420), np.int16), spacing)
    mask = echo.predict(encoded, [Click(y, x, True) for y, x in places]).mask
    assert mask.shape == (400, 420)
    y, x = np.nonzero(mask)
    distance = np.min([np.hypot((y - a) * spacing[0], (x - b) * spacing[1]) for a, b in places], axis=0)
    assert distance.max() < 9
    assert all(mask[max(0, a - 3) : a + 4, max(0, b - 3) : b + 4].any() for a, b in places)


def test_deepgrow_takes_background_clicks_as_its_second_map(echo):
    encoded = echo.encode(np.zeros((300, 300), np.int16), (1.0, 1.0))
    near = [Click(150, 150, True), Click(150, 160, False)]
    assert np.array_equal(echo.predict(encoded, near).mask, echo.predict(encoded, near[:1]).mask)


def test_the_network_is_one_and_the_same_behind_both_interfaces(deepgrow):
    network = deepgrow.DeepGrowUNet().eval()
    image, guidance = torch.randn(1, 1, 32, 32), torch.rand(1, 2, 32, 32)
    ours = network.decode(network.encode(image), guidance)
    assert torch.equal(network(torch.cat([image, guidance], dim=1)), ours)


def test_deepgrow_trains_on_every_structure_of_every_slice(deepgrow):
    slices = grid_slices()
    found = [(record["value"], record["image"].shape) for record in deepgrow.records(slices)]
    shown = [value for label in slices.labels for value in (1, 2) if (label == value).sum() >= deepgrow.SMALLEST]
    assert found == [(value, (1, 64, 64)) for value in shown]


def test_what_deepgrow_sees_first_is_the_window_with_a_click_in_the_structure(deepgrow):
    slices = grid_slices(side=64)
    data = deepgrow.before_training(Intensity(-100, 200, 0, 100))(deepgrow.records(slices)[0])
    image, label = np.asarray(data["image"]), np.asarray(data["label"])
    assert (image.shape, label.shape) == ((3, 256, 256), (1, 256, 256))
    assert -1 <= image[0].min() < image[0].max() <= 2
    clicked = np.unravel_index(image[1].argmax(), image[1].shape)
    assert label[0][clicked] == 1
    assert image[2].max() == 0


def test_deepgrow_learns_for_as_long_as_it_is_told_and_answers(deepgrow, tmp_path):
    from segmodel import checkpoint as files

    made = deepgrow.train(grid_slices(), (-125, 275), batch=1, passes=1, minutes=1e-4)
    assert made.provenance["steps"] == 1
    made.save(tmp_path / "model.safetensors")
    predictor = deepgrow.DeepGrow(files.load(tmp_path / "model.safetensors"))
    encoded = predictor.encode(np.zeros((64, 64), np.int16), (1.0, 1.0))
    assert predictor.predict(encoded, [Click(3, 60, True)]).mask.shape == (64, 64)
    assert predictor.intensity == InputSpec.from_json(made.inputs.to_json()).intensity


@needs("monai")
def test_both_loops_are_timed_on_the_same_network():
    recipe = Recipe(images=1, size=256, window=(-125, 275))
    measured = steps.measure(grid_slices(2, 256), recipe, passes=1, steps=1)
    assert (measured["passes"], measured["batch"]) == (1, 1)
    assert {name: len(values) for name, values in measured["seconds"].items()} == {
        "deepgrow": 1,
        "ours": 1,
        "ours in bfloat16": 1,
    }


def test_the_table_of_steps_gives_medians_and_ratios():
    seconds = {"deepgrow": [9.0, 8.0, 70.0], "ours": [4.0, 4.5, 1.0], "ours in bfloat16": [3.0]}
    line = steps.table([{"passes": 15, "batch": 8, "seconds": seconds}]).splitlines()[-1]
    assert line == "| 15 | 8 | 9.00 | 4.00 | 2.25 | 3.00 | 3.00 |"


# ------------------------------------------------------------------------------------------------------- the bench


class Whole:
    """Answer every click with the whole slice."""

    def encode(self, hu, spacing):
        return hu.shape

    def predict(self, shape, clicks, previous=None):
        return Prediction(np.ones(shape, bool), 0.5)


@pytest.fixture
def made(monkeypatch):
    """Return the names of the methods that were made ready, in order; they are two, "ours" and "other"."""
    names = []

    def ready(_, name):
        names.append(name)
        return Whole()

    monkeypatch.setattr(bench, "METHODS", {"ours": ready, "other": ready})
    return names


@pytest.fixture
def arguments(tmp_path):
    return ["--data", str(decathlon(tmp_path / "data")), "--out", str(tmp_path / "out"), "--every", "1"]


def test_every_method_leaves_its_report_and_a_line_of_the_table(made, arguments, tmp_path, capsys):
    assert bench.main([*arguments, "--methods", "ours,other"]) == 0
    report = json.loads((tmp_path / "out" / "other" / "report.json").read_text())
    assert report["cases"] == {"toys": ["ct_02"]}
    assert report["mean"]["dice"].keys() == {"1", "2", "3", "5", "10", "15"}
    text = (tmp_path / "out" / "table.md").read_text()
    assert text in capsys.readouterr().out
    assert [line.split(" | ")[0] for line in text.splitlines()[2:4]] == ["| ours", "| other"]
    assert json.loads((tmp_path / "out" / "table.json").read_text()).keys() == {"ours", "other"}


def test_a_finished_method_is_not_run_again(made, arguments):
    bench.main([*arguments, "--methods", "ours"])
    bench.main([*arguments, "--methods", "ours,other"])
    bench.main([*arguments, "--methods", "other"])
    assert made == ["ours", "other"]


def test_the_table_has_all_that_is_finished(made, arguments, tmp_path):
    bench.main([*arguments, "--methods", "other"])
    bench.main([*arguments, "--methods", "ours"])
    assert json.loads((tmp_path / "out" / "table.json").read_text()).keys() == {"ours", "other"}


def test_reports_of_other_settings_are_not_mixed(made, arguments, tmp_path, capsys):
    bench.main([*arguments, "--methods", "ours"])
    assert bench.main([*arguments, "--methods", "other", "--split", "training", "--minutes", "3"]) == 2
    differ = "was begun with another setting of cases, split, minutes; choose a new folder."
    assert capsys.readouterr().err.splitlines()[-1] == f"bench-peers: {tmp_path / 'out'} {differ}"
    assert made == ["ours"]


def test_steps_are_timed_again_only_where_more_are_asked_for(small, monkeypatch):
    own, _ = small
    asked = []

    def measure(slices, recipe, passes, count):
        asked.append((passes, count))
        return {"passes": passes, "seconds": {"deepgrow": [1.0] * count}}

    monkeypatch.setattr(steps, "measure", measure)
    for count in (2, 1, 3):
        assert len(bench.steps_of(own, count)[0]["seconds"]["deepgrow"]) >= count
    assert asked == [(own.recipe.passes, 2), (15, 2), (own.recipe.passes, 3), (15, 3)]


def test_an_unknown_method_is_refused_with_the_known_ones(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        bench.main([*arguments, "--methods", "ours,magic"])
    assert end.value.code == 2
    assert (
        "no method magic; there are ours, ours-in-minutes, paper-unet, deepgrow, random-walker"
        in capsys.readouterr().err
    )


def report(dice, noc=3.0):
    figures = {"dice": {str(k): dice for k in bench.CLICKS}, "noc": {"85": noc}}
    return {"mean": figures, "structures": {"liver": {"count": 7, **figures}}, "ms_per_click": 12.4}


def test_the_table_says_where_ours_is_not_ahead():
    reports = {"ours": report(0.9), "worse": report(0.8), "mixed": report(0.7)}
    reports["mixed"]["mean"]["dice"].update({"10": 0.9, "15": 0.95})
    lines = bench.table(reports).splitlines()
    assert lines[2] == "| ours | 0.900 | 0.900 | 0.900 | 0.900 | 0.900 | 0.900 | 3.0 | 12 | – |"
    assert lines[3].endswith("| 3.0 | 12 | – |")
    assert lines[4].endswith("| 3.0 | 12 | 10, 15 |")
    assert len({line.count("|") for line in lines}) == 1


def test_structures_have_a_line_each():
    assert bench.structures_table({"ours": report(0.9), "other": report(0.5)}).splitlines() == [
        "| Dice@3 | slices | ours | other |",
        "|---|---:|---:|---:|",
        "| liver | 7 | 0.900 | 0.500 |",
    ]


@pytest.fixture
def small(tmp_path):
    """Return a bench of toys and a recipe that is trained in no time."""
    datasets = [read(decathlon(tmp_path / "data"))]
    recipe = Recipe(architecture=UNET, size=64, images=1, passes=1, steps=10**9, spacing=1.0, window=(-125, 275))
    return bench.Bench(datasets, tmp_path / "out", tmp_path / "cache", "validation", 1, 0.002, 16), recipe


def test_a_training_takes_its_minutes_once(small):
    own, recipe = small
    predictor = bench.trained(own, "paper-unet", recipe)
    assert predictor.predict(
        predictor.encode(np.zeros((64, 64), np.int16), (1, 1)), [Click(3, 3, True)]
    ).mask.any() in (0, 1)
    written = own.weights("paper-unet").stat().st_mtime_ns
    bench.trained(own, "paper-unet", recipe)
    assert own.weights("paper-unet").stat().st_mtime_ns == written


def test_a_training_that_was_cut_short_counts_for_nothing(small):
    own, recipe = small
    with pytest.raises(KeyboardInterrupt):
        bench.trained(dataclasses.replace(own, minutes=5), "paper-unet", recipe.changed({"steps": 1}))
    assert not own.weights("paper-unet").exists()
