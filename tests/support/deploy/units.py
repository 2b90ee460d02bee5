"""The units of systemd/, and what they start, with this machine's places in theirs."""

import os
import re
import shlex
import sys

from tests.conftest import GITLAB_TOKEN
from tests.support.deploy.notify import NotifySocket
from tests.support.deploy.sandbox import settings
from tests.support.programs import needs
from tests.support.running import ROOT, TOKEN

UNITS = ROOT / "systemd"
CODE = "/opt/portal/current"
PYTHON = f"{CODE}/.venv/bin/python"

needs_systemd = needs("systemd-analyze")


def command_of(service, places, environ, line=0):
    """An ExecStart= line as systemd would start it."""
    text = service["ExecStart"][line]
    for shown, real in places.items():
        text = text.replace(shown, str(real))
    text = text.replace("%%", "%")
    words = shlex.split(text.replace("$$", "\0"))
    substituted = (re.sub(r"\$\{(\w+)\}", lambda m: environ[m[1]], word) for word in words)
    return [word.replace("\0", "$") for word in substituted]


def environment_of(service, **secrets):
    """What Environment= sets, and an EnvironmentFile=."""
    words = [word for line in service.get("Environment", []) for word in shlex.split(line)]
    return {"PATH": os.environ["PATH"], **dict(word.split("=", 1) for word in words), **secrets}


class UnitPortal:
    """The portal as portal.service starts it, over the configuration of a `RunningPortal`."""

    def __init__(self, portal, directory):
        self.portal = portal
        self.service = settings(UNITS / "portal.service")
        self.unit = UNITS / "portal.service"
        self.systemd = NotifySocket(str(directory / "notify"))
        self.places = {PYTHON: sys.executable, CODE: ROOT}
        self.places["/etc/portal/portal.toml"] = portal.config

    def start(self):
        portal = self.portal
        portal.write_config()
        environ = environment_of(
            self.service, METRICS_TOKEN=TOKEN, GITLAB_TOKEN=GITLAB_TOKEN, IP_HASH_KEY="a-key"
        )
        environ |= {"NOTIFY_SOCKET": self.systemd.address, "WATCHDOG_USEC": "60000000"}
        portal.environ = environ
        portal.command = [
            *(sys.executable, "-m", "tests.support.deploy.sandbox", str(self.unit)),
            *command_of(self.service, self.places, environ),
        ]
        portal.start()
        self.systemd.until("READY=1")
        return self
