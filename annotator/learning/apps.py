from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotator.learning"

    def ready(self) -> None:
        from annotator.learning import jobs, split

        split.follow_imports()
        jobs.follow_acceptances()
