"""Runs the load generators of `benchmarks.client`, each with a time limit."""

import json
import subprocess
import sys

from benchmarks.children import ROOT, BenchmarkError

FETCH_SECONDS = 120.0
MARGIN_SECONDS = 30.0  # added to the length of a load


def fetch(port: int, path: str, clients: int = 1) -> dict[str, float]:
    """See `benchmarks.client.fetch`."""
    return _run(FETCH_SECONDS, "fetch", port, path, clients)


def requests(port: int, path: str, clients: int, seconds: float) -> dict[str, float]:
    """See `benchmarks.client.requests`."""
    return _run(seconds + MARGIN_SECONDS, "requests", port, path, clients, seconds)


def slow(port: int, path: str, clients: int, seconds: float) -> dict[str, float]:
    """See `benchmarks.client.slow`."""
    return _run(seconds + MARGIN_SECONDS, "slow", port, path, clients, seconds)


def _run(limit: float, *arguments: object) -> dict[str, float]:
    """Run it; the JSON that it prints. Raises BenchmarkError if it fails or takes too long."""
    command = [sys.executable, "-m", "benchmarks.client", *map(str, arguments)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=True
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"no end within {limit:.0f} s: {' '.join(command[2:])}") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BenchmarkError(f"{' '.join(command[2:])}: {last}") from None
    result: dict[str, float] = json.loads(done.stdout)
    return result
