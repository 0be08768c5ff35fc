import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

STATES = [
    ("assigned", "new"),
    ("in_progress", "in progress"),
    ("submitted", "submitted"),
    ("returned", "returned"),
    ("accepted", "accepted"),
    ("skipped", "skipped"),
    ("handed_back", "handed back"),
]


def number_readings(apps, schema_editor):
    """Cases that were given to several people are read so often; what was clicked on is in progress."""
    Assignment, Task = apps.get_model("annotation", "Assignment"), apps.get_model("annotation", "Task")
    for task in Task.objects.iterator():
        for reading, assignment in enumerate(task.assignments.order_by("pk"), start=1):
            state = "in_progress" if assignment.interactions.exists() else "assigned"
            Assignment.objects.filter(pk=assignment.pk).update(reading=reading, state=state)
            Task.objects.filter(pk=task.pk).update(readings=reading)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0003_work_is_never_deleted"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            "project",
            "reviews_own",
            models.BooleanField(default=False, help_text="reviewers may review their own work"),
        ),
        migrations.AddField(
            "task",
            "readings",
            models.PositiveSmallIntegerField(default=1, help_text="people who outline it, each blind to the others"),
        ),
        migrations.AddField(
            "task", "priority", models.SmallIntegerField(default=0, help_text="higher is handed out earlier")
        ),
        migrations.AlterField(
            "interaction", "created_at", models.DateTimeField(default=timezone.now, editable=False)
        ),
        migrations.AddField("task", "due_on", models.DateField(blank=True, null=True)),
        migrations.AddField(
            "assignment",
            "reading",
            models.PositiveSmallIntegerField(default=1, help_text="which of the task's readings it is"),
        ),
        migrations.AddField(
            "assignment",
            "state",
            models.CharField(choices=STATES, db_index=True, default="assigned", max_length=16),
        ),
        migrations.RunPython(number_readings, migrations.RunPython.noop),
        migrations.AddConstraint(
            "assignment",
            models.UniqueConstraint(
                condition=models.Q(("state", "handed_back"), _negated=True),
                fields=("task", "reading"),
                name="a_reading_belongs_to_one_person",
                violation_error_message="Somebody has this reading of the task already.",
            ),
        ),
        migrations.CreateModel(
            "Transition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("before", models.CharField(blank=True, choices=STATES, max_length=16)),
                ("after", models.CharField(choices=STATES, max_length=16)),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "assignment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transitions",
                        to="annotation.assignment",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["assignment", "id"]},
        ),
    ]
