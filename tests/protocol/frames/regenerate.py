"""Writes the golden frames that both test suites read. Run from the repository root: python tests/protocol/frames/regenerate.py

One text frame per message type (`<type>.json`, the frame and a newline) and some binary ones: `<name>.bin` is the frame,
`<name>.json` says what it holds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from annotator import masks, protocol
from annotator.protocol import MaskFrame, PlacedClick, PreviewClick, SliceClicks

TWO_CLICKS = (PlacedClick(id=1, y=211, x=322, positive=True), PlacedClick(id=4, y=240, x=301, positive=False))
MESSAGES: list[protocol.ClientMessage | protocol.ServerMessage] = [
    protocol.Hello(protocol=3, window="0f8fad5b-d9cb-469f-a165-70867728950e"),
    protocol.TakeOver(),
    protocol.View(label=3, z=17),
    protocol.Preview(41, 3, 17, base=4, clicks=(PreviewClick(211, 322, True), PreviewClick(0, 511, False))),
    protocol.Lock(label=3, locked=True),
    protocol.AddClick(sequence=5, label=3, z=17, y=211, x=322, positive=True),
    protocol.MoveClick(sequence=6, click=4, y=238, x=299),
    protocol.DeleteClick(sequence=7, click=4),
    protocol.Paint(sequence=7, label=3, z=17, tool="lasso", mask="AAIAAgAAAAAAAAAA", since=5),
    protocol.Propagate(sequence=8, label=3, z=18, source=17, ahead=21, better=True),
    protocol.Undo(sequence=8),
    protocol.Redo(sequence=9, steps=3),
    protocol.Welcome(
        3,
        9,
        True,
        False,
        "ready",
        "U-Net 16 · 2026-11 “spleen”",
        (SliceClicks(3, 17, 0, 5, False, TWO_CLICKS), SliceClicks(4, 0, 7, 7, False, ())),
        (protocol.LockedLabel(3),),
    ),
    protocol.Stored(5, "add_click", (SliceClicks(3, 17, 0, 5, False, TWO_CLICKS),), True, False),
    protocol.Changed(6, "undo", (SliceClicks(3, 17, 0, 0, False, ()),), False, True),
    protocol.Saved(sequence=5, label=3, z=17),
    protocol.Locks(labels=(protocol.LockedLabel(3), protocol.LockedLabel(4))),
    protocol.Lease(mine=False, person="zoë", since="2026-11-28T09:30:00+00:00"),
    protocol.News(what="comments"),
    protocol.InferenceState(state="away"),
    protocol.Error("outside", "The click is outside the image – nothing was stored.", sequence=5, request=0),
]


def blob() -> NDArray[np.bool_]:
    """An ellipse with a hole and a bay, so that rows hold several runs."""
    y, x = np.mgrid[:96, :128]
    ellipse = ((y - 50.0) / 30) ** 2 + ((x - 60.0) / 44) ** 2 <= 1
    hole = (y - 44) ** 2 + (x - 70) ** 2 <= 64
    bay = (abs(y - 50) < 5) & (x < 40)
    return ellipse & ~hole & ~bay


def corner() -> NDArray[np.bool_]:
    mask = np.zeros((512, 512), bool)
    mask[511, 511] = True
    return mask


Header = tuple[int, int, int, int, int, float, float, float]
MASKS: dict[str, tuple[Header, NDArray[np.bool_]]] = {
    "mask": ((MaskFrame.STORED, 17, 5, 3, 12, 31.25, 38.5, 0.9375), blob()),
    "mask-empty": ((MaskFrame.PREVIEW, 0, 41, 1, 12, 30.0, 33.75, 0.5), np.zeros((512, 512), bool)),
    "mask-corner": ((MaskFrame.SAVED, 65535, 4294967295, 2, 1, 0.0, 0.0, -1.0), corner()),
    "mask-full": ((MaskFrame.STORED, 118, 300, 4, 13, 0.5, 1024.0, 1.0), np.ones((512, 512), bool)),
}


def runs(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths counted pixel by pixel, on purpose not with the codec under test."""
    lengths, value = [0], False
    for pixel in mask.ravel():
        if bool(pixel) != value:
            value = not value
            lengths.append(0)
        lengths[-1] += 1
    return lengths


def described(fields: Header, mask: NDArray[np.bool_]) -> dict[str, object]:
    names = ("kind", "z", "number", "label", "model_version", "network_ms", "total_ms", "quality")
    ys, xs = np.nonzero(mask)
    box = [int(ys.min()), int(xs.min()), int(np.ptp(ys)) + 1, int(np.ptp(xs)) + 1] if ys.size else [0, 0, 0, 0]
    inside = mask[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
    return {
        **dict(zip(names, fields, strict=True)),
        "height": mask.shape[0],
        "width": mask.shape[1],
        "box": box,  # y0, x0, height, width
        "runs": runs(inside) if ys.size else [],
        "foreground": int(ys.size),
    }


def main() -> None:
    for message in MESSAGES:
        (HERE / f"{message.type}.json").write_text(protocol.encode(message) + "\n", encoding="utf-8")
    for name, (header, mask) in MASKS.items():
        (HERE / f"{name}.bin").write_bytes(MaskFrame(*header, masks.encode(mask)).to_bytes())
        (HERE / f"{name}.json").write_text(json.dumps(described(header, mask)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
