"""Which releases are pre-releases: GitLab has no flag for it, so the tag is read.

A word such as `rc` after the first digit makes one (`v2.1-rc1`, `1.0.0rc1`). Another suffix, SemVer
or not, can be an edition or a packaging (`v17.0.0-ee`, `1.20.1-2.3.0`): it is a pre-release only
where the project has releases without any suffix. A project's own patterns replace all of this.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from portal.releases.model import Release

_WORDS = (
    "alpha|beta|rc|cr|pre|prerelease|preview|dev|snapshot|nightly|canary|next|unstable|testing|"
    "milestone|ea|eap"
)
# Single letters need a number behind them: 1.0a2, 3.0-M1.
_PRERELEASE = re.compile(
    rf"\d.*?(?<![a-z])(?:(?:{_WORDS})(?![a-z])|[abm][._-]?\d)", re.IGNORECASE | re.DOTALL
)
# SemVer 2.0.0, https://semver.org/, with the leading "v" that tags carry.
_SUFFIX = re.compile(
    r"v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def with_prereleases(
    releases: Sequence[Release], patterns: Sequence[str] | None = None
) -> tuple[Release, ...]:
    """The releases of one project, each marked as what it is.

    `patterns` are those of the configuration, with `*` and `?` as in a shell; an empty sequence
    says that the project has no pre-releases, None that there are no patterns.
    """
    if patterns is not None:
        found = [any(fnmatchcase(r.version, pattern) for pattern in patterns) for r in releases]
    else:
        certain = [_PRERELEASE.search(r.version) is not None for r in releases]
        suffixed = [_SUFFIX.fullmatch(r.version) is not None for r in releases]
        plain = any(
            not (one or other or r.upcoming)
            for one, other, r in zip(certain, suffixed, releases, strict=True)
        )
        found = [one or (other and plain) for one, other in zip(certain, suffixed, strict=True)]
    return tuple(
        release if release.prerelease == mark else replace(release, prerelease=mark)
        for release, mark in zip(releases, found, strict=True)
    )
