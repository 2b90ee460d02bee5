"""Fails if a locked package has a known vulnerability; `make audit`.

pip-audit asks PyPI's JSON API. If that does not answer for some or for all packages, this program
says so and succeeds: a build must not depend on an outside service, and must not hide that nothing
was checked. Arguments are passed to pip-audit (for example `-s osv`).
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKS = sorted((Path(__file__).parent.parent / "requirements").glob("*.txt"))
# Vulnerabilities that do not affect the portal: the number, and why.
IGNORED: dict[str, str] = {}

_UNREACHABLE = re.compile(
    r"requests\.exceptions|ConnectionError|Could not connect|Timeout|ServiceError"
)


def audit(arguments: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """The findings for each package (None if the service did not answer), and the error text."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--format", "json", "--progress-spinner", "off", *arguments]
    command += [word for lock in LOCKS for word in ("--requirement", str(lock))]
    command += [word for number in IGNORED for word in ("--ignore-vuln", number)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.stdout.startswith("{"):
        return json.loads(done.stdout)["dependencies"], ""
    if _UNREACHABLE.search(done.stderr):
        return None, done.stderr.strip().splitlines()[-1]
    raise SystemExit(done.stderr)


def main() -> int:
    """The exit status: 1 after a finding, else 0."""
    packages, said = audit(sys.argv[1:])
    if packages is None:
        print(f"audit: NOTHING WAS AUDITED, the advisory service cannot be reached: {said}")
        return 0
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    found = [(package, v) for package in packages for v in package.get("vulns", [])]
    for package, v in found:
        fixed = ", ".join(v["fix_versions"]) or "no release"
        print(f"audit: {package['name']} {package['version']}: {v['id']}, fixed in {fixed}")
    if unknown:
        none = len(unknown) == len(packages)
        some = "NOTHING WAS AUDITED" if none else "NOT ALL WAS AUDITED"
        names = "any of them" if none else ", ".join(unknown)
        print(f"audit: {some}: the advisory service here does not know {names}")
    print(f"audit: {len(packages) - len(unknown)} packages asked about, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
