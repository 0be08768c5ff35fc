"""`python manage.py register_model FILE [--name NAME] [--activate]`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.annotation import versions


class Command(BaseCommand):
    help = "Register a checkpoint of `python -m segmodel train` as a model version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", help="shown to people; the file's name by default")
        parser.add_argument(
            "--activate", action="store_true", help="let it answer in cases that are opened from now on"
        )

    def handle(self, *args: Any, file: Path, name: str | None, activate: bool, **options: Any) -> None:
        try:
            version = versions.register(file, name or file.stem)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        if activate:
            versions.activate(version)
        self.stdout.write(
            f"{version.name} ({version.sha256[:8]}){' answers in cases that are opened now' if activate else ''}."
        )
