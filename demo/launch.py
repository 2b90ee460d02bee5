"""`make run`: the portal with the operator's configuration, or with the demo behind it."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo import content
from demo.run import Demo, DemoError

SERVER = Path(__file__).parent.parent / "server.py"


def main(environ: Mapping[str, str]) -> int:
    """Run until a signal; the exit status. PORT, DATA_DIR and CONFIG may be empty."""
    port, data_dir = environ.get("PORT", ""), environ.get("DATA_DIR", "")
    if port and not (port.isdecimal() and int(port) < 65536):
        print(f'PORT must be a number from 0 to 65535; it is "{port}".', file=sys.stderr)
        return 2
    if config := environ.get("CONFIG", ""):
        _replace_by_server(config, port, data_dir)
    try:
        return _run_demo(int(port or 8000), Path(data_dir or "var"), environ)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _replace_by_server(config: str, port: str, data_dir: str) -> None:
    """Replace this process by server.py, so that it gets every signal itself."""
    command = [sys.executable, str(SERVER), "--config", config]
    command += ["--port", port] if port else []
    command += ["--data-dir", data_dir] if data_dir else []
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted  # nosec B606


def _run_demo(port: int, data_dir: Path, environ: Mapping[str, str]) -> int:
    filled = data_dir / "demo" / "content"
    if not content.is_filled(filled):
        print(f"Filling {filled} with two projects ...", flush=True)
        try:
            content.fill(filled)
        except OSError as error:
            raise DemoError(f"The demo cannot be filled: {error}") from None
        except subprocess.CalledProcessError as error:
            raise DemoError(
                f"The demo cannot be filled: git says {error.stderr.decode()}"
            ) from None
    secrets_of_run = {"GITLAB_TOKEN": f"glpat-{secrets.token_urlsafe(15)}"}
    given = environ.get("METRICS_TOKEN", "")
    token = given or secrets.token_urlsafe(24)
    environment = {**environ, **secrets_of_run, "METRICS_TOKEN": token}
    shown = "<your METRICS_TOKEN>" if given else token
    return asyncio.run(Demo(SERVER, port, data_dir, environment, shown).run())
