"""`python manage.py send_digest`"""

from typing import Any

from django.core.management.base import BaseCommand

from annotator.events import digest


class Command(BaseCommand):
    help = "Mail people the notices that they have not seen; a worker with --beat does it every morning."

    def handle(self, *args: Any, **options: Any) -> None:
        sent = digest.send()
        self.stdout.write(f"{sent} {'mail' if sent == 1 else 'mails'} sent.")
