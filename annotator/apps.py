"""Start-up of the site: its system checks, and the Celery app that jobs register with."""

from django.apps import AppConfig


class AnnotatorConfig(AppConfig):
    name = "annotator"

    def ready(self) -> None:
        from annotator import celery, checks  # noqa: F401  imported for what they register
