"""Findings of a probe: what one check has shown, and how it is printed."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step has shown; where it is not `fine` the sentence says what to do.

    A `warning` is fine: the portal works, and the operator should still change something.
    """

    fine: bool
    sentence: str
    warning: bool = False

    @property
    def line(self) -> str:
        """The line that is printed."""
        kind = ("warn " if self.warning else "ok   ") if self.fine else "FAULT"
        return f"{kind} {self.sentence}\n"


def warning(sentence: str) -> Finding:
    """A finding with which the portal works."""
    return Finding(True, sentence, warning=True)


async def report(findings: AsyncIterator[Finding]) -> int:
    """Print each finding as it comes; the exit status, 1 unless all are fine."""
    status = 0
    async for finding in findings:
        sys.stdout.write(finding.line)
        sys.stdout.flush()
        status = status if finding.fine else 1
    return status
