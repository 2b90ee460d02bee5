"""Quotas of uploads: an IPv6 client is its /64."""

import json

from tests.support.saves import mounts_json
from tests.support.tools import upload

SMALL = mounts_json({})


def test_one_network_has_one_quota(portal):
    statuses = []
    for number in range(22):
        address = f"2001:db8:aa:bb::{number:x}"
        status, _, body = upload(portal, "pets", SMALL, address, Accept="application/json")
        statuses.append(status)
    assert statuses == [201] * 20 + [429] * 2
    assert "as much as one visitor can" in json.loads(body)["error"]
    assert upload(portal, "pets", SMALL, "2001:db8:aa:bc::1", Accept="application/json")[0] == 201
