"""The app of the audit record and of notices; from its start, log-ins are written down."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "annotator.events"

    def ready(self) -> None:
        from annotator.events import logins  # noqa: F401  imported for the signals that it takes
