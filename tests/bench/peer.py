"""django-helpdesk on the same mails, servers and disk, where it is installed beside (docs/performance.md says how)."""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.bench.corpus import Letter
from tests.bench.daemon import LOADED, TOP
from tests.bench.mailbox import fill
from tests.bench.sink import Loop, TimingSink
from tests.servers import PASSWORD, MailServers

PYTHON = TOP / ".venv-peer/bin/python"

_SETTINGS = """
SECRET_KEY, USE_TZ, ROOT_URLCONF, SITE_ID, DEBUG = "bench", True, "office_urls", 1, False
INSTALLED_APPS = ["django.contrib." + name for name in
                  ("admin", "auth", "contenttypes", "sessions", "messages", "sites", "humanize", "staticfiles")]
INSTALLED_APPS += ["rest_framework", "helpdesk"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
               "OPTIONS": {{"context_processors": ["django.template.context_processors.request",
                           "django.contrib.auth.context_processors.auth",
                           "django.contrib.messages.context_processors.messages"]}}}}]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{folder}/db.sqlite3"}}}}
DEFAULT_AUTO_FIELD, STATIC_URL, MEDIA_ROOT = "django.db.models.AutoField", "/static/", "{folder}/media"
EMAIL_HOST, EMAIL_PORT, DEFAULT_FROM_EMAIL = "127.0.0.1", {smtp}, "{address}"
SILENCED_SYSTEM_CHECKS, HELPDESK_TEAMS_MODE_ENABLED = ["helpdesk.W001", "admin.E403"], False
"""
_URLS = """
from django.urls import include, path
urlpatterns = [path("helpdesk/", include("helpdesk.urls", namespace="helpdesk"))]
"""

_QUEUE = """
from helpdesk.models import Queue
Queue.objects.create(title="Bench", slug="bench", email_address="{address}", allow_public_submission=True,
    allow_email_submission=True, email_box_type="imap", email_box_host="127.0.0.1", email_box_port={imap},
    email_box_user="{address}", email_box_pass="{password}", email_box_ssl=False, email_box_imap_folder="INBOX",
    email_box_interval=0, logging_type="none")
"""


def measure(servers: MailServers, letters: Iterable[Letter]) -> float | None:
    """Mails a second from its first reply to its last, all tickets and replies counted; None where it is not there."""
    if not PYTHON.exists():
        return None
    mails, _ = fill(servers, LOADED, letters)
    loop, sink = Loop(), TimingSink()
    try:
        with tempfile.TemporaryDirectory(prefix="lk-peer-", dir="/var/tmp") as name:
            folder, smtp = Path(name), loop.listen(sink.serve)
            (folder / "office.py").write_text(_SETTINGS.format(folder=folder, smtp=smtp, address=LOADED))
            (folder / "office_urls.py").write_text(_URLS)
            _django(folder, "migrate", "--verbosity=0")
            _django(folder, "shell", "-c", _QUEUE.format(address=LOADED, imap=servers.imap_port, password=PASSWORD))
            _django(folder, "get_email", "--quiet")
            count = "from helpdesk.models import Ticket; print(Ticket.objects.count())"
            tickets = int(_django(folder, "shell", "--verbosity=0", "-c", count).split()[-1])
    finally:
        loop.close()
    if (tickets, len(sink.accepted)) != (mails, mails):
        raise RuntimeError(f"{mails} mails, but {tickets} tickets and {len(sink.accepted)} replies")
    return (mails - 1) / (max(sink.accepted.values()) - min(sink.accepted.values()))


def _django(folder: Path, *words: str) -> str:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "office"}
    done = subprocess.run(
        [str(PYTHON), "-m", "django", *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"django {words[0]}: {done.stderr[-2000:]}")
    return done.stdout
