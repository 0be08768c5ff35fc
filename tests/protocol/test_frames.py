"""The golden frames that the TypeScript suite reads as well: what they say is what Python says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from annotator import masks, protocol
from annotator.protocol import MaskFrame

FRAMES = Path(__file__).parent / "frames"
BINARY = sorted(path.stem for path in FRAMES.glob("*.bin"))
TEXT = sorted(path.stem for path in FRAMES.glob("*.json") if path.stem not in BINARY)
MESSAGES = {**protocol.CLIENT_MESSAGES, **protocol.SERVER_MESSAGES}


def test_every_message_has_a_frame() -> None:
    assert set(TEXT) == set(MESSAGES)
    assert BINARY


@pytest.mark.parametrize("name", TEXT)
def test_a_text_frame_is_read_and_written_the_same(name: str) -> None:
    text = (FRAMES / f"{name}.json").read_text(encoding="utf-8").removesuffix("\n")
    message = protocol.decode(text, MESSAGES)
    assert message.type == name
    assert protocol.encode(message) == text


@pytest.mark.parametrize("name", BINARY)
def test_a_mask_frame_is_read_and_written_the_same(name: str) -> None:
    data, says = (FRAMES / f"{name}.bin").read_bytes(), json.loads((FRAMES / f"{name}.json").read_text())
    frame = MaskFrame.from_bytes(data)
    header = {key: value for key, value in dataclasses.asdict(frame).items() if key != "mask"}
    assert header == {key: says[key] for key in header}
    mask = masks.decode(frame.mask)
    assert mask.shape == (says["height"], says["width"])
    assert (mask.sum(), masks.area(frame.mask)) == (says["foreground"], says["foreground"])
    y, x, height, width = says["box"]
    assert mask[y : y + height, x : x + width].sum() == says["foreground"]
    runs = np.array(says["runs"], int)
    pixels = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(height, width)
    np.testing.assert_array_equal(mask[y : y + height, x : x + width], pixels)
    assert dataclasses.replace(frame, mask=masks.encode(mask)).to_bytes() == data
