from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotator.learning"

    def ready(self) -> None:
        from annotator.learning import split

        split.follow_imports()
