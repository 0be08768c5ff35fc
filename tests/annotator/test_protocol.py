"""What the socket refuses, and with which code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator import protocol
from annotator.protocol import MAX_CLICKS, AddClick, MaskFrame, Preview, PreviewClick, ProtocolError, Stored

numbers = st.integers(0, 2**31 - 1)
clicks = st.builds(PreviewClick, numbers, numbers, st.booleans())
messages = st.one_of(
    st.builds(AddClick, numbers, numbers, numbers, numbers, numbers, st.booleans()),
    st.builds(Preview, numbers, numbers, numbers, numbers, st.lists(clicks, max_size=5).map(tuple)),
    st.builds(protocol.MoveClick, numbers, numbers, numbers, numbers),
    st.builds(protocol.Paint, numbers, numbers, numbers, st.text(max_size=5), st.text(max_size=5)),
    st.builds(protocol.Undo, numbers, numbers),
)
scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from([*protocol.CLIENT_MESSAGES, "x"])
json_values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from("yxz"), scalars, max_size=3)


def code_of(text: str) -> str:
    with pytest.raises(ProtocolError) as refusal:
        protocol.decode(text)
    assert str(refusal.value).endswith(".")
    return refusal.value.code


@given(messages)
def test_every_message_comes_back(message: protocol.ClientMessage) -> None:
    assert protocol.decode(protocol.encode(message)) == message


def test_server_messages_come_back() -> None:
    here = protocol.SliceClicks(1, 2, 0, 3, False, (protocol.PlacedClick(1, 2, 3, False),))
    stored = Stored(3, "undo", (here,), True, False)
    assert protocol.decode(protocol.encode(stored), protocol.SERVER_MESSAGES) == stored


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "3", '"hello"', "{}", '{"type":3}', '{"type":"nonsense"}', '{"type":"welcome"}',
        '{"type":"hello"}', '{"type":"hello","protocol":"1"}', '{"type":"hello","protocol":true}',
        '{"type":"hello","protocol":1.0}', '{"type":"hello","protocol":-1}', '{"type":"hello","protocol":2147483648}',
        '{"type":"hello","protocol":1,"extra":2}', '{"type":"hello","protocol":NaN}', "[" * 60000,
        '{"type":"undo","sequence":1,"steps":-1}', '{"type":"paint","sequence":1,"label":1,"z":0,"tool":"brush","mask":3}',
        '{"type":"preview","request":1,"label":1,"z":0,"base":0,"clicks":{}}',
        '{"type":"preview","request":1,"label":1,"z":0,"base":0,"clicks":[3]}',
        '{"type":"preview","request":1,"label":1,"z":0,"base":0,"clicks":[{"y":1,"x":1}]}',
        '{"type":"preview","request":1,"label":1,"z":0,"base":0,"clicks":[{"y":1,"x":1,"positive":1}]}',
    ],
)  # fmt: skip
def test_malformed(text: str) -> None:
    assert code_of(text) == "malformed"


def test_too_large() -> None:
    assert code_of(json.dumps({"type": "hello", "protocol": "x" * protocol.MAX_TEXT_BYTES})) == "too_large"


def test_too_many_clicks() -> None:
    preview = Preview(1, 1, 0, 0, (PreviewClick(0, 0, True),) * (MAX_CLICKS + 1))
    assert code_of(protocol.encode(preview)) == "too_many_clicks"


def test_a_full_preview_fits() -> None:
    preview = Preview(2**31 - 1, 2**31 - 1, 65535, 2**31 - 1, (PreviewClick(65535, 65535, False),) * MAX_CLICKS)
    assert protocol.decode(protocol.encode(preview)) == preview


@given(st.dictionaries(st.sampled_from(["type", "protocol", "z", "clicks"]), json_values))
def test_any_object_is_a_message_or_refused(fields: dict) -> None:
    try:
        assert type(protocol.decode(json.dumps(fields))) in protocol.CLIENT_MESSAGES.values()
    except ProtocolError as refusal:
        assert refusal.code == "malformed"


@given(st.binary(max_size=20))
def test_mask_frames_come_back(mask: bytes) -> None:
    frame = MaskFrame(MaskFrame.STORED, 59, 2**32 - 1, 3, 4, 12.5, 20.25, 0.875, mask)
    assert MaskFrame.from_bytes(frame.to_bytes()) == frame


def test_a_short_or_foreign_mask_frame_is_refused() -> None:
    data = MaskFrame(0, 0, 0, 0, 0, 0.0, 0.0, 0.0, b"").to_bytes()
    for bad, code in ((data[:-1], "malformed"), (b"\x63" + data[1:], "protocol_version")):
        with pytest.raises(ProtocolError) as refusal:
            MaskFrame.from_bytes(bad)
        assert refusal.value.code == code
