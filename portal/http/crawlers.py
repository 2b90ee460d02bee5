"""Crawler detection by User-Agent: only programs that declare themselves crawlers match."""

import re

# A word of its own or the end of one (Googlebot, archive.org_bot, Bytespider; but a Cubot is a
# telephone), or the convention of giving an address to complain at (+http://...), which people's
# own programs do not follow.
_CRAWLER = re.compile(
    r"(?<!\bcu)bots?(?![a-z])|crawl|spider|slurp|archiver|facebookexternalhit|mediapartners"
    r"|googleother|google-inspectiontool|preview|prerender|lighthouse|headline|\+https?://",
    re.IGNORECASE,
)


def declares_itself(user_agent: str) -> bool:
    """Whether a User-Agent is a crawler's."""
    return bool(_CRAWLER.search(user_agent))
