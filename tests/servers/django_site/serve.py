"""Serves the site on 127.0.0.1:DOT_PORT until SIGTERM."""

import os
import signal
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
from django.core.wsgi import get_wsgi_application
from waitress import serve


def stop(signum, frame):
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
serve(get_wsgi_application(), host="127.0.0.1", port=int(os.environ["DOT_PORT"]), threads=8, ident=None)
