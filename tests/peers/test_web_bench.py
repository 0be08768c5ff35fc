"""`make bench-peers-web` reads MONAI Label's answer, clicks where it says and compares what it says."""

import numpy as np
import pytest

from segmodel.volumes import Geometry, Volume
from tests.peers import web_bench

BOUNDARY = "multipart/form-data; boundary=cut"


def multipart(*parts):
    text = "".join(f"--cut\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n" for head, body in parts)
    return f"{text}--cut--\r\n".encode()


PARAMS = ('name="params"', '{"label_names": {}, "latencies": {"infer": 0.36, "total": 2.3}}')


def test_what_the_network_took_is_read_from_the_answer():
    body = multipart(PARAMS, ('name="image"; filename="ct.nii.gz"', "mask"))
    assert web_bench.latencies(BOUNDARY, body)["infer"] == 0.36


def test_an_answer_without_a_label_is_no_answer():
    with pytest.raises(ValueError, match="no label"):
        web_bench.latencies("application/json", PARAMS[1].encode())


def test_both_servers_get_five_clicks_a_slice_the_fourth_in_the_background():
    voxels = np.full((9, 96, 128), 40, np.int16)
    volume = Volume(voxels, Geometry(np.diag([-1.0, -1.0, 1.0, 1.0]), (128, 96, 9)), modality="CT")
    clicks = web_bench.clicks(volume, 12)
    assert [z for z, *_ in clicks] == [3] * 5 + [4] * 5 + [5] * 2
    assert [positive for *_, positive in clicks[:5]] == [True, True, True, False, True]


def test_the_table_says_how_many_times_as_long_the_other_takes():
    figures = {"ct": "a phantom", "slices": 60, "ours": [{"total": 20.0, "network": 10.0}] * 3}
    figures["theirs"] = [{"total": 500.0, "network": 100.0}] * 3
    *_, total, network = web_bench.table(figures).splitlines()
    assert total == "| click → mask received | 20.0 / 20.0 | 500.0 / 500.0 | 25.0 |"
    assert network.endswith("| 10.0 |")
