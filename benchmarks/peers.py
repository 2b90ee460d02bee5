"""The other proxies. One that is not installed is named as skipped."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks import nginx
from benchmarks.children import ADDRESS, listening

# At least the largest number of clients of any benchmark.
FLASK_THREADS = 64

_CADDYFILE = """
{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind {address}
    reverse_proxy {address}:{origin}
}}
"""


@contextmanager
def default_nginx(folder: Path, port: int, origin: int) -> Iterator[int]:
    """nginx with its default buffers."""
    with nginx.proxy("nginx-default", folder, port, origin) as pid:
        yield pid


@contextmanager
def caddy(folder: Path, port: int, origin: int) -> Iterator[int]:
    """Caddy's reverse_proxy with default settings."""
    configuration = folder / "Caddyfile"
    configuration.write_text(_CADDYFILE.format(address=ADDRESS, port=port, origin=origin))
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", configuration]
    with listening("caddy", command, port, folder) as pid:
        yield pid


@contextmanager
def flask(folder: Path, port: int, origin: int) -> Iterator[int]:
    """Flask, httpx and gunicorn, in one process with threads."""
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{ADDRESS}:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(FLASK_THREADS)]
    command += ["--keep-alive", "60", "benchmarks.flask_proxy:app"]
    environ = {"ORIGIN": f"http://{ADDRESS}:{origin}"}
    with listening("flask", command, port, folder, environ) as pid:
        yield pid


def missing_caddy() -> str | None:
    """Why Caddy cannot run, or None."""
    return None if shutil.which("caddy") else "not installed"


def missing_flask() -> str | None:
    """Why the plain proxy cannot run, or None."""
    missing = [name for name in ("flask", "httpx", "gunicorn") if not find_spec(name)]
    return f"{', '.join(missing)} not installed" if missing else None


# Name in the tables, how to start it, and why it cannot be started.
PEERS = (
    ("nginx, default buffers", default_nginx, lambda: None),
    ("Caddy", caddy, missing_caddy),
    ("Flask + httpx + gunicorn", flask, missing_flask),
)
