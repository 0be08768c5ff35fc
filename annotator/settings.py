"""Settings, from environment variables only; every one has a default that makes a complete single-machine site.

`docs/settings.md` lists the variables. Combinations that cannot work are refused at start-up by `annotator.checks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from annotator import environment

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(environment.text("ANNOTATOR_DATA", str(ROOT / "data"))).expanduser().resolve()
DATA.mkdir(parents=True, exist_ok=True)

# ------------------------------------------------------------------------------------------------ the site

DEBUG = environment.flag("ANNOTATOR_DEBUG", False)
SECRET_KEY = environment.secret_key(DATA)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
if environment.flag("ANNOTATOR_HTTPS", False):  # a proxy in front speaks TLS and sets X-Forwarded-Proto
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

SITE_URL = environment.text("ANNOTATOR_URL", "http://127.0.0.1:8000").rstrip("/")  # for links in mails

ROOT_URLCONF = "annotator.urls"
ASGI_APPLICATION = "annotator.asgi.application"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "my_work", "login"
X_FRAME_OPTIONS = "DENY"
LANGUAGE_CODE, TIME_ZONE, USE_TZ = "en-gb", environment.text("TIME_ZONE", "UTC"), True
LANGUAGES, LOCALE_PATHS = [("en-gb", "English"), ("de", "Deutsch")], [ROOT / "annotator" / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "django_vite",
    "annotator",
    "annotator.events",
    "annotator.studies",
    "annotator.annotation",
    "annotator.learning",
    "annotator.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # the browser's language, or the one chosen in the header
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "annotator.login.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "annotator.login.context",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# ------------------------------------------------------------------------------------------------ e-mail

EMAIL_HOST = environment.text("EMAIL_HOST")
EMAIL_PORT = environment.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 20  # seconds; somebody waits for the page
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "Annotator <annotator@localhost>")

# ------------------------------------------------------------------------------------------------ where things are kept

SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA / "annotator.sqlite3",
    "OPTIONS": {
        # Readers go on while one process writes; a writer takes its lock at once, so that waiting works and nothing
        # fails half way with "database is locked". Commits stay fully synchronous: an acknowledged click is on the disk.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY",
    },
}
try:
    DATABASE_URL = environment.text("DATABASE_URL")
    DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL) if DATABASE_URL else SQLITE}
except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError):
    environment.problems.append("DATABASE_URL is not a database's URL: set it like postgres://user:password@host/name.")
    DATABASES = {"default": SQLITE}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA / "storage"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# On the disk, for what all web processes are to know alike: how often a token asked, pictures once drawn.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA / "remembered",
        "OPTIONS": {"MAX_ENTRIES": 2000},
    }
}

# ------------------------------------------------------------------------------------------------ the REST API

API_PER_MINUTE = environment.number("API_PER_MINUTE", 600)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotator.api.rest.doors.Bearer",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["annotator.api.rest.doors.WithinScopes"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": f"{API_PER_MINUTE}/minute"},
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "annotator.api.rest.doors.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "annotator.api.rest.described.Described",
    "EXCEPTION_HANDLER": "annotator.api.rest.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Annotator",
    "VERSION": "1",
    "DESCRIPTION": (
        "What the pages do, for programs. Send a token of your account page as `Authorization: Bearer ann_…`. "
        'Lists come a hundred at a time, the rest by `?page=2`; refusals are `{"error": sentence}`.'
    ),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AssignmentState": "annotator.annotation.models.Assignment.State",
        "Readiness": ["ok", "away"],
    },
}

# ------------------------------------------------------------------------------------------------ live and inference

REDIS_URL = environment.text("REDIS_URL")
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # channels_redis waits 5 s for a message; redis-py 8 gives up on a silent socket after just as long.
            "hosts": [{"address": REDIS_URL, "socket_timeout": 30, "socket_connect_timeout": 5}],
            "capacity": 1000,
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
}

# "embedded": the loop runs inside the web process. A number: that many separate `manage.py inference_worker`s.
INFERENCE_EMBEDDED = environment.text("ANNOTATOR_INFERENCE", "embedded") == "embedded"
INFERENCE_SLOTS = 1 if INFERENCE_EMBEDDED else environment.number("ANNOTATOR_INFERENCE", 1)
INFERENCE_DEVICE = environment.text("ANNOTATOR_DEVICE", "cpu")
INFERENCE_THREADS = environment.number("ANNOTATOR_THREADS", 0, least=0)  # cores for the network; 0 leaves it to torch
INFERENCE_CACHE_BYTES = environment.number("ANNOTATOR_ENCODED_BYTES", 1 << 30)  # encoded slices kept warm

# ------------------------------------------------------------------------------------------------ jobs

JOBS = DATA / "jobs"
JOBS.mkdir(exist_ok=True)
CELERY_BROKER_URL = environment.text("CELERY_BROKER_URL", "filesystem://")
if CELERY_BROKER_URL == "filesystem://":
    for folder in ("queue", "control"):
        (JOBS / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(JOBS / "queue"),
        "data_folder_out": str(JOBS / "queue"),
        "control_folder": str(JOBS / "control"),
        "polling_interval": 0.25,
    }
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ROUTES = {f"annotator.{job}": {"queue": "learning"} for job in ("retrain", "evaluate", "rank")}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(JOBS / "beat")
CELERY_TASK_IGNORE_RESULT = True  # a job's outcome is its own row's state

# ------------------------------------------------------------------------------------------------ learning

SPLIT_VALIDATION = environment.share("SPLIT_VALIDATION", 0.15)  # of the patients who come from now on
SPLIT_GOLD = environment.share("SPLIT_GOLD", 0.15)
if SPLIT_GOLD + SPLIT_VALIDATION > 1:
    environment.problems.append(
        "SPLIT_GOLD and SPLIT_VALIDATION together are more than 1: leave patients to train with."
    )
LEARNING = JOBS / "learning"  # material and unfinished runs
LEARNING_DEVICE = environment.text("ANNOTATOR_TRAINING_DEVICE", "cpu")
LEARNING_PROCESSES = environment.number("ANNOTATOR_TRAINING_PROCESSES", 1)  # more than one: torchrun
LEARNING_NICE = environment.number("ANNOTATOR_TRAINING_NICE", 19, least=0)  # 19: behind everything else on the machine
REPLAY_DATA = environment.words("ANNOTATOR_REPLAY_DATA")  # data sets that the shipped model was trained on

# ------------------------------------------------------------------------------------------------ import

IMPORT_MAX_VOXELS = environment.number("IMPORT_MAX_VOXELS", 512 * 512 * 2048)  # 1 GiB of int16
IMPORT_MAX_ZIP_BYTES = environment.number("IMPORT_MAX_ZIP_BYTES", 4 * 1024**3)  # unpacked
IMPORT_MAX_FILES = environment.number("IMPORT_MAX_FILES", 20_000)
DATA_UPLOAD_MAX_NUMBER_FILES = IMPORT_MAX_FILES
DATA_UPLOAD_MAX_NUMBER_FIELDS = IMPORT_MAX_FILES + 1000  # with each file comes its path
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024**2  # everything in a request but its files
FILE_UPLOAD_TEMP_DIR = DATA / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)

# ------------------------------------------------------------------------------------------------ the built frontend

FRONTEND = ROOT / "frontend" / "dist"
STATIC_URL = "/static/"
STATICFILES_DIRS = [FRONTEND] if FRONTEND.is_dir() else []
WHITENOISE_USE_FINDERS = True  # serves them from where they are: no collectstatic to forget
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.*/assets/.+-[\w-]{8,}\.\w+$"  # Vite puts a hash into these names
DJANGO_VITE = {
    "default": {"dev_mode": environment.flag("VITE_DEV", False), "manifest_path": FRONTEND / ".vite" / "manifest.json"}
}

# ------------------------------------------------------------------------------------------------ logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": []},  # not a second time by Django's own handler
        "kombu.connection": {"level": "ERROR"},  # warns that a broker on the disk has no host name
    },
    "root": {"handlers": ["stderr"], "level": environment.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")},
}
