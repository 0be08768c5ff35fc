"""One process or many that train one network together (`torchrun`), each on its share of every batch.

Gradients are summed in one message after each process has finished its share. That is what DistributedDataParallel does,
without its overlap of sending and computing; in exchange a process that runs out of memory can take smaller bites and try
again before anybody waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Processes:
    """This process's `rank` of `size`, and its device."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls, device: str = "cpu") -> Processes:
        """The group that torchrun started (gloo on the CPU, NCCL on GPUs, one each), or this process alone."""
        if "WORLD_SIZE" not in os.environ or int(os.environ["WORLD_SIZE"]) == 1:
            return cls(device=torch.device(device))
        chosen = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if device == "cuda" else torch.device(device)
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        patience = timedelta(hours=12)  # the others wait while the first prepares data or evaluates
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=patience)
        return cls(dist.get_rank(), dist.get_world_size(), chosen)

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.rank == 0

    def leave(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process goes through the block before the others, which find what it left on the disk."""
        if self.size > 1 and not self.first:
            dist.barrier()
        yield
        if self.size > 1 and self.first:
            dist.barrier()

    def share(self, count: int) -> range:
        """Which of `count` slices are this process's: neighbours, as a micro-batch's are."""
        return range(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Adds up each tensor over the processes, in place."""
        if self.size == 1:
            return
        tensors = list(tensors)
        together = torch.cat([tensor.detach().float().flatten() for tensor in tensors])
        dist.all_reduce(together)
        for tensor, summed in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.detach().copy_(summed.view_as(tensor))

    def largest(self, *values: float) -> list[float]:
        """The largest of each value over the processes, so that all decide alike."""
        if self.size == 1:
            return list(values)
        together = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(together, dist.ReduceOp.MAX)
        return together.tolist()
