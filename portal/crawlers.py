"""Programs that say of themselves that they are crawlers; other programs do what people ask."""

import re

# A word of its own or the end of a name (Googlebot, bingbot, Bytespider), or the convention of
# giving an address to complain at (+http://...), which people's own programs do not.
_CRAWLER = re.compile(
    r"bot\b|bots\b|crawl|spider|slurp|archiver|\bia_archive|facebookexternalhit|mediapartners"
    r"|preview|prerender|lighthouse|headline|\+https?://",
    re.IGNORECASE,
)


def declares_itself(user_agent: str) -> bool:
    """Whether a User-Agent is a crawler's."""
    return bool(_CRAWLER.search(user_agent))
