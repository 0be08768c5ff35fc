"""`python manage.py load_demo`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import demo
from annotator.demo.project import PROJECT


class Command(BaseCommand):
    help = "Load the demo project, its people and a synthetic CT. Refused unless the site is in debug mode."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if demo.load():
                self.stdout.write(f"Loaded “{PROJECT}”.")
        except demo.DemoError as error:
            raise CommandError(str(error)) from error
