"""A checkpoint comes back as it was saved, says where it comes from, and anything else is refused in one sentence."""

import errno
import json
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from segmodel import checkpoint
from segmodel.checkpoint import CheckpointError
from tests.segmodel import toys


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "models" / "toy.safetensors"
    toys.checkpoint().save(file)
    return file


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path)
    return str(caught.value)


def rewrite(path, header=None, tensors=None):
    """Save the file again with this header (text or JSON) or these tensors."""
    header = checkpoint.read_header(path) if header is None else header
    tensors = safetensors.torch.load_file(path) if tensors is None else tensors
    text = header if isinstance(header, str) else json.dumps(header)
    safetensors.torch.save_file(tensors, path, {"annotator": text})


@pytest.mark.parametrize("architecture", [toys.ENCODE_ONCE, toys.UNET], ids=lambda options: options["name"])
def test_what_is_saved_comes_back(tmp_path, architecture):
    saved = toys.checkpoint(architecture)
    saved.save(tmp_path / "toy.safetensors")
    loaded = checkpoint.load(tmp_path / "toy.safetensors")
    assert loaded.header == saved.header
    assert loaded.inputs == saved.inputs
    assert loaded.network.state_dict().keys() == saved.network.state_dict().keys()
    for name, tensor in saved.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], tensor), name


def test_a_loaded_network_is_ready_to_predict(path):
    assert not any(module.training for module in checkpoint.load(path).network.modules())


def test_the_header_is_read_without_the_weights(path):
    header = checkpoint.read_header(path)
    assert header["architecture"] == toys.ENCODE_ONCE
    assert header["inputs"]["sigma"] == 2.0
    assert header["provenance"] == {"steps": 0}
    assert header["scores"] == {"dice": 0.5}


def test_the_file_is_a_json_header_and_raw_numbers_nothing_that_could_run(path):
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    tensors = json.loads(content[8 : 8 + length])
    assert json.loads(tensors.pop("__metadata__")["annotator"])["format"] == checkpoint.FORMAT
    assert len(content) == 8 + length + max(entry["data_offsets"][1] for entry in tensors.values())


def test_the_same_network_is_the_same_file(path, tmp_path):
    toys.checkpoint().save(tmp_path / "again.safetensors")
    toys.checkpoint(seed=1).save(tmp_path / "other.safetensors")
    assert checkpoint.sha256(tmp_path / "again.safetensors") == checkpoint.sha256(path)
    assert checkpoint.sha256(tmp_path / "other.safetensors") != checkpoint.sha256(path)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    def half(file, content):
        with file.open("wb") as stream:
            stream.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left on device") as full:
        toys.checkpoint(seed=1).save(path)
    assert full.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_saved_model_is_as_readable_as_any_new_file(path):
    (path.parent / "any").touch()
    assert path.stat().st_mode == (path.parent / "any").stat().st_mode


def test_the_shipped_model_loads_under_its_name():
    if not checkpoint.DEFAULT.exists():
        pytest.skip("no weights are shipped yet")
    shipped = checkpoint.load("default")
    assert shipped.provenance["data"]
    assert checkpoint.DEFAULT.stat().st_size <= 20e6


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "none.safetensors") == f"There is no model file {tmp_path / 'none.safetensors'}."


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04.", b"PK\x03\x04" + bytes(400)])
def test_another_kind_of_file_is_refused(path, content):
    path.write_bytes(content)
    assert refusal(path) == "toy.safetensors is not a safetensors file, or it is damaged."


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(path, part):
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert refusal(path) == "toy.safetensors is not a safetensors file, or it is damaged."


@pytest.mark.parametrize("metadata", [None, {"author": "somebody"}, {"annotator": "not JSON"}, {"annotator": "[]"}])
def test_somebody_elses_safetensors_are_refused(path, metadata):
    safetensors.torch.save_file({"weight": torch.zeros(2)}, path, metadata)
    assert refusal(path) == "toy.safetensors is a safetensors file, but not a model of this program."


def test_another_format_is_refused_and_both_are_named(path):
    rewrite(path, {**checkpoint.read_header(path), "format": 7})
    assert refusal(path) == "toy.safetensors has format 7; this program reads format 1."


def test_an_unknown_architecture_is_refused_by_its_name(path):
    rewrite(path, {**checkpoint.read_header(path), "architecture": {"name": "nn-9000"}})
    assert refusal(path).startswith("toy.safetensors cannot be used: Unknown architecture 'nn-9000'; known are ")


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": {**toys.ENCODE_ONCE, "width": 8}},
        {"architecture": {**toys.ENCODE_ONCE, "depth": 8}},
        {"architecture": {}},
        {"architecture": "unet"},
        {"inputs": {"sigma": 2.0}},
        {"inputs": None},
    ],
    ids=str,
)
def test_a_header_of_another_model_is_refused(path, change):
    rewrite(path, {**checkpoint.read_header(path), **change})
    assert refusal(path) == "The header and the weights of toy.safetensors do not belong together."


@pytest.mark.parametrize("missing", ["architecture", "inputs", "provenance", "scores"])
def test_a_header_that_lacks_a_part_is_refused(path, missing):
    header = checkpoint.read_header(path)
    del header[missing]
    rewrite(path, header)
    assert refusal(path) == "The header and the weights of toy.safetensors do not belong together."


def test_weights_that_lack_a_tensor_are_refused(path):
    tensors = safetensors.torch.load_file(path)
    del tensors["head.weight"]
    rewrite(path, tensors=tensors)
    assert refusal(path) == "The header and the weights of toy.safetensors do not belong together."
