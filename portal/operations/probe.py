"""`--check-config --probe`: asks GitLab and Umami, and writes where the portal will write."""

import logging
import sys
from collections.abc import AsyncIterator

from portal.analytics import probe as umami
from portal.config.model import Config
from portal.findings import Finding, report
from portal.gitlab.probe import GitLabProbe
from portal.operations.folders import existing, write_fault
from portal.relay.curl import CurlClient

ANSWER_BYTES = 48 << 20


async def probe(config: Config) -> int:
    """Print each finding; the exit status, 1 where there is a fault."""
    # What the parts would log is among the findings.
    logging.getLogger("portal").addHandler(logging.NullHandler())
    client = CurlClient(force_instance=True, max_body_size=ANSWER_BYTES)
    try:
        status = await report(GitLabProbe(config, client).findings())
    finally:
        client.close()
    if config.umami.website:
        status |= await umami.probe(config.umami)
    else:
        sys.stdout.write("Umami is not configured: pages carry no tracker\n")
    return status | await report(_writable(config))


async def _writable(config: Config) -> AsyncIterator[Finding]:
    folders = [config.data_dir, config.spill_dir, config.upload_dir, config.releases_dir]
    if config.umami.website:
        folders.append(config.umami_dir)
    for folder in dict.fromkeys(existing(folder) for folder in folders):
        why = write_fault(folder)
        yield Finding(not why, why or f"files can be written in {folder}")
