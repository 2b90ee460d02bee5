"""Who says that it is a crawler."""

import pytest

from portal.http.crawlers import declares_itself


@pytest.mark.parametrize(
    ("agent", "crawler"),
    [
        ("Mozilla/5.0 (compatible; archive.org_bot +http://archive.org)", True),
        ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", True),
        ("Mozilla/5.0 (compatible; GoogleOther)", True),
        ("Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", True),
        ("CCBot/2.0 (https://commoncrawl.org/faq/)", True),
        ("Mozilla/5.0 (compatible; Yahoo! Slurp)", True),
        ("ia_archiver", True),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) Chrome/126.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) Chrome/126.0 Mobile Safari/537.36", False),
        ("aws-cli/2.15 Python/3.11 botocore/2.4", False),
        ("Wget/1.21.3", False),
        ("", False),
    ],
)
def test_who_is_a_crawler(agent, crawler):
    assert declares_itself(agent) is crawler
