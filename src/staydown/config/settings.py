"""Django settings. Values come from config.installation; nothing here reads the environment itself."""

from datetime import timedelta
from pathlib import Path

from staydown.config.csp import NOTES_CSP
from staydown.config.database import database_settings
from staydown.config.installation import DATA, WEB, Installation

INSTALLATION = Installation.from_environment()

STAYDOWN_NOTES_CSP = NOTES_CSP
STAYDOWN_PUBLIC_URL = INSTALLATION.public_url
STAYDOWN_DEMO = INSTALLATION.demo
STAYDOWN_LEDGER_KEY_PATH = INSTALLATION.data_dir / "ledger.key"
STAYDOWN_LEDGER_ORIGIN = INSTALLATION.public_url.split("://", 1)[-1] + "/ledger"
STAYDOWN_BANK_JOURNAL_PATH = INSTALLATION.data_dir / "bank.journal"
STAYDOWN_TOKENS_PATH = INSTALLATION.data_dir / "tokens.json"
STAYDOWN_CHECKS_DIR = INSTALLATION.data_dir / "checks"
STAYDOWN_EDGE_DIR = INSTALLATION.data_dir / "edge"
STAYDOWN_FLOOD_LIMITS = INSTALLATION.flood_limits
# Half an hour without a click closes a case page: long enough to read and to add pictures, short enough
# for a phone that is put down among other people.
STAYDOWN_CASE_IDLE = timedelta(minutes=30)

SECRET_KEY = INSTALLATION.secret("secret_key")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", INSTALLATION.public_url.split("://", 1)[-1].split(":")[0]]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "staydown.access",
    "staydown.ledger",
    "staydown.cases",
    "staydown.notices",
    "staydown.review",
    "staydown.bank",
    "staydown.catalog",
    "staydown.action",
    "staydown.evidence",
    "staydown.survivor_site",
    "staydown.desk",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "staydown.config.headers.ProtectivePageHeaders",
    "staydown.config.failures.MethodProblems",
    "staydown.config.no_nul.ReadNulAsReplacement",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "staydown.config.language.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

ROOT_URLCONF = "staydown.config.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "staydown.config.headers.installation",
            ]
        },
    }
]

DATABASES = {"default": database_settings(INSTALLATION.database_url, data_dir=INSTALLATION.data_dir)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.StaffMember"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/desk/sign-in"
LOGIN_REDIRECT_URL = "/desk/"

# Cookie names say nothing about why the person is here; no cookie outlives the browser window.
SESSION_COOKIE_NAME = "s"
CSRF_COOKIE_NAME = "t"
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = INSTALLATION.https
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "staydown.config.failures.form_expired"

SECURE_REFERRER_POLICY = "same-origin"  # no-referrer makes Django refuse our own forms
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 31_536_000 if INSTALLATION.https else 0
SECURE_SSL_REDIRECT = False
# As a form sends them (each quote and bracket as three signs), 100 pictures of 33 codes are 0.4 MB, of 100
# codes 1.2 MB, and 20,000 codes of frames 2.5 MB: the most that cases/rules.py takes, and some room.
DATA_UPLOAD_MAX_MEMORY_SIZE = 3_500_000
# This site takes no files: a file part in a form is dropped unread.
FILE_UPLOAD_HANDLERS = ["staydown.config.no_files.NoFiles"]

STATIC_URL = "/static/"
STAYDOWN_WORDS_PATH = DATA / "words" / "en.txt"
STAYDOWN_DIGESTS_PATH = WEB / "dist" / "SHA256SUMS"

LANGUAGE_CODE = "en"
# Each by its own name, as whoever looks for it knows it. Spanish is complete; Arabic covers the main path.
LANGUAGES = [("en", "English"), ("es", "Español"), ("ar", "العربية")]
LOCALE_PATHS = [Path(__file__).resolve().parents[1] / "survivor_site" / "locale"]
# Like the other cookies: a name that says nothing, and gone with the browser window.
LANGUAGE_COOKIE_NAME = "l"
LANGUAGE_COOKIE_AGE = None
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_SECURE = INSTALLATION.https
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "staydown": {"level": "INFO"},
        # Refusals are anticipated; who was refused where is nobody's business. Defects are logged as errors.
        "django.request": {"level": "ERROR"},
    },
}
