from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotator.learning"

    def ready(self) -> None:
        from annotator.learning import evaluation_jobs, jobs, split  # noqa: F401 (its jobs are known from here on)

        split.follow_imports()
        jobs.follow_acceptances()
