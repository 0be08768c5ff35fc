"""manage.py inference_worker: one slot of separate inference, on one device."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.annotation import versions
from annotator.engine import ClickEngine, use_threads
from annotator.inference.worker import Worker


class Command(BaseCommand):
    help = "Answers clicks over the channel layer. Start one for each slot that ANNOTATOR_INFERENCE counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slot", type=int, default=0, help="0 to ANNOTATOR_INFERENCE - 1")
        parser.add_argument("--device", default=settings.INFERENCE_DEVICE, help="cpu, cuda:0 …")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.INFERENCE_EMBEDDED:
            raise CommandError(
                "Inference is embedded in the web process; set ANNOTATOR_INFERENCE to a number of slots."
            )
        if not 0 <= options["slot"] < settings.INFERENCE_SLOTS:
            raise CommandError(f"The slot is not between 0 and {settings.INFERENCE_SLOTS - 1}.")
        use_threads(settings.INFERENCE_THREADS)
        worker = Worker(options["slot"], ClickEngine(options["device"], settings.INFERENCE_CACHE_BYTES))
        try:
            asyncio.run(self.serve(worker, versions.active().path))
        except ValueError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    async def serve(self, worker: Worker, model: str) -> None:
        await worker.warm_up(model)
        self.stdout.write(f"Slot {worker.channel} is ready.")
        self.stdout.flush()
        await worker.run()
