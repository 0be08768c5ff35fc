"""The site's own settings over an empty data folder, with what makes tests quick. DATABASE_URL is honoured."""

import atexit
import os
import shutil
import tempfile

os.environ["ANNOTATOR_DATA"] = tempfile.mkdtemp(prefix="annotator-test-")
atexit.register(shutil.rmtree, os.environ["ANNOTATOR_DATA"], ignore_errors=True)
for name in ("ANNOTATOR_DEBUG", "ANNOTATOR_INFERENCE", "REDIS_URL", "CELERY_BROKER_URL", "ALLOWED_HOSTS", "SECRET_KEY"):
    os.environ.pop(name, None)

from annotator.settings import *  # noqa: E402, F403
from annotator.settings import DATA, DATABASES, DJANGO_VITE, SQLITE  # noqa: E402

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DJANGO_VITE["default"]["dev_mode"] = True  # pages are tested without a build of the frontend
if DATABASES["default"] is SQLITE:
    SQLITE["TEST"] = {"NAME": DATA / "test.sqlite3"}  # a file, as in production: threads wait for each other
