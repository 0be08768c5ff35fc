"""Would another runtime answer clicks faster? torch, onnxruntime and OpenVINO on the default weights, in turns, in one run.

    pip install onnx onnxruntime openvino      (into an environment of its own)
    python tests/load/backend_bench.py [rounds]

Prints medians in ms of encoding a 512×512 slice and of decoding a click, and how often faster than torch each is.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segmodel import checkpoint
from segmodel.clicks import Click
from segmodel.predictor import Predictor

Call = Callable[[], object]


class Encode(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.network.encode(image)


class Decode(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
        return self.network.decode((fine, coarse), guidance)


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.nn.Module]:
    """A standardised slice and guidance of three clicks on the grid, and the network with its normalisations folded."""
    predictor = Predictor(checkpoint.load("default"), precision="float32")
    spec = predictor.inputs
    hu = np.random.default_rng(0).normal(40, 80, (512, 512)).astype(np.int16)
    placement = spec.grid.place(hu.shape, (0.8, 0.8))
    clicks = [Click(200, 200, True), Click(100, 300, False), Click(260, 240, True)]
    return spec.image(hu, placement), spec.guidance(clicks, placement), predictor.network


def with_torch(precision: torch.dtype, image: torch.Tensor, guidance: torch.Tensor) -> tuple[Call, Call]:
    name = "bfloat16" if precision is torch.bfloat16 else "float32"
    network = Predictor(checkpoint.load("default"), precision=name).network
    image, guidance = (t.to(precision, memory_format=torch.channels_last) for t in (image, guidance))
    with torch.inference_mode():
        features = network.encode(image)

    @torch.inference_mode()
    def encode() -> object:
        return network.encode(image)

    @torch.inference_mode()
    def decode() -> object:
        return network.decode(features, guidance)

    return encode, decode


def with_onnxruntime(image: torch.Tensor, guidance: torch.Tensor, network: torch.nn.Module) -> tuple[Call, Call]:
    import onnxruntime

    def session(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> Call:
        file = io.BytesIO()
        torch.onnx.export(module, example, file, dynamo=False, input_names=[f"i{k}" for k in range(len(example))])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        run = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        feed = {f"i{k}": tensor.numpy() for k, tensor in enumerate(example)}
        return lambda: run.run(None, feed)

    with torch.inference_mode():
        features = network.encode(image)
        return session(Encode(network), (image,)), session(Decode(network), (*features, guidance))


def with_openvino(
    precision: str, image: torch.Tensor, guidance: torch.Tensor, network: torch.nn.Module
) -> tuple[Call, Call]:
    import openvino

    core = openvino.Core()
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}

    def compiled(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> Call:
        model = openvino.convert_model(module, example_input=example)
        model.reshape({model.input(k): list(t.shape) for k, t in enumerate(example)})
        run = core.compile_model(model, "CPU", {**hints, "INFERENCE_NUM_THREADS": torch.get_num_threads()})
        request, feed = run.create_infer_request(), [tensor.numpy() for tensor in example]
        return lambda: request.infer(feed, share_inputs=True, share_outputs=True)

    with torch.inference_mode():
        features = network.encode(image)
        return compiled(Encode(network), (image,)), compiled(Decode(network), (*features, guidance))


def main(rounds: int) -> None:
    image, guidance, network = inputs()
    runtimes: dict[str, tuple[Call, Call]] = {
        "torch float32": with_torch(torch.float32, image, guidance),
        "torch bfloat16": with_torch(torch.bfloat16, image, guidance),
        "onnxruntime float32": with_onnxruntime(image, guidance, network),
        "OpenVINO float32": with_openvino("f32", image, guidance, network),
        "OpenVINO bfloat16": with_openvino("bf16", image, guidance, network),
    }
    times: dict[tuple[str, int], list[float]] = {(name, part): [] for name in runtimes for part in (0, 1)}
    for turn in range(rounds + 3):
        for name, calls in runtimes.items():
            for part, call in enumerate(calls):
                started = time.perf_counter()
                call()
                if turn >= 3:
                    times[name, part].append(1000 * (time.perf_counter() - started))
    median = {key: statistics.median(values) for key, values in times.items()}
    print(f"{torch.get_num_threads()} threads, grid {tuple(image.shape[2:])}, {rounds} rounds in turns\n")
    print("| runtime | encode, ms | × | a click, ms | × |\n|---|---:|---:|---:|---:|")
    for name in runtimes:
        base = "torch bfloat16" if "bfloat16" in name else "torch float32"
        cells = (f"{median[name, p]:.1f} | {median[base, p] / median[name, p]:.2f}" for p in (0, 1))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
