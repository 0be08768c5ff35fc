"""Import jobs. Their broker only wakes them: the upload's row says whether there is anything to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils.translation import gettext as _

from annotator import broker
from annotator.studies import uploads
from annotator.studies.models import Upload


@shared_task(name="annotator.import_upload")
def import_upload(upload_id: str) -> None:
    """Import what was uploaded."""
    uploads.run(upload_id)


def queue(upload: Upload) -> None:
    """Have an upload imported; raises UploadRefused, the upload being gone, where no broker takes the job."""
    try:
        import_upload.delay(str(upload.pk))
    except broker.AWAY as error:
        uploads.discard(upload)
        sentence = _("The queue of imports does not answer, so nothing was kept; try again later.")
        raise uploads.UploadRefused(sentence) from error


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts by putting in order what one before it may have left behind."""
    uploads.bury_the_dead()
    uploads.clear_away()
    for upload_id in uploads.waiting():
        import_upload.delay(str(upload_id))
