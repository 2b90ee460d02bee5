"""Invented events over many days, and what their counts must be, worked out the slow way."""

import hashlib
import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, timedelta

from sql.database import connect

TODAY = date(2026, 3, 31)

INSERTS = {
    "downloads": "insert into downloads (project, version, asset, timestamp, ip_hash, user_agent)"
    " values (?, ?, ?, ?, ?, 'u')",
    "clones": "insert into clones (project, timestamp, ip_hash, user_agent) values (?, ?, ?, 'g')",
    "tools": "insert into tool_usage (tool, event, timestamp, ip_hash, user_agent)"
    " values (?, ?, ?, ?, 'u')",
    "catalog": "insert into catalog_interactions (event, detail, result_count, timestamp, ip_hash)"
    " values (?, ?, ?, ?, ?)",
}


class History:
    """Events by section: (keys, day, client); `add` puts them into a database too."""

    def __init__(self, path, seed=1):
        self.path = path
        self.random = random.Random(seed)  # noqa: S311 - a load
        self.events = {section: [] for section in INSERTS}

    def add(self, section, keys, day, client, results=None):
        who = hashlib.sha256(client.encode()).hexdigest()
        extra = (results,) if section == "catalog" else ()
        with closing(sqlite3.connect(self.path, timeout=10)) as database:
            database.execute(INSERTS[section], (*keys, *extra, f"{day} 12:00:00", who))
            database.commit()
        self.events[section].append((keys, day, client))

    def fill(self, days, each=3):
        """So many events of each section, at random, on each of these days."""
        pick = self.random.choice
        with closing(connect(self.path)) as database:
            database.execute("pragma synchronous = off")
            database.execute("begin")
            for day in days:
                for section in INSERTS:
                    for _ in range(self.random.randrange(each + 1)):
                        keys, results = self._keys(section)
                        client = f"client {pick(range(20))}"
                        extra = (results,) if section == "catalog" else ()
                        who = hashlib.sha256(client.encode()).hexdigest()
                        values = (*keys, *extra, f"{day} 12:00:00", who)
                        database.execute(INSERTS[section], values)
                        self.events[section].append((keys, day, client))
            database.execute("commit")

    def _keys(self, section):
        pick = self.random.choice
        if section == "downloads":
            return (pick("pq"), pick(["v1", "v2"]), pick(["a.zip", "b.zip"])), None
        if section == "clones":
            return (pick("pq"),), None
        if section == "tools":
            return (pick(["pets", "prospects"]), pick(["upload", "download"])), None
        event = pick(["category_view", "search", "diff_view"])
        return (event, pick("xyz")), self.random.randrange(3) if event == "search" else None

    def windows(self, section, today, width):
        """For each first `width` keys: counts in 30 days, the 30 before, 90 and all."""
        sums = {}
        for keys, day, _ in self.events[section]:
            if day <= today:
                counts = sums.setdefault(keys[:width], [0, 0, 0, 0])
                for place, inside in enumerate(in_windows(day, today)):
                    counts[place] += inside
        return {keys: tuple(counts) for keys, counts in sums.items()}

    def clients(self, section, today, scope=None):
        """The distinct clients, of one project, tool and event, or event of the catalog."""
        seen = [set(), set(), set(), set()]
        for keys, day, client in self.events[section]:
            of = " ".join(keys) if section == "tools" else keys[0]
            if day <= today and scope in (None, of):
                for place, inside in enumerate(in_windows(day, today)):
                    if inside:
                        seen[place].add(client)
        return tuple(map(len, seen))

    def days(self, section):
        return Counter(day for _, day, _ in self.events[section])


def in_windows(day, today):
    age = (today - day).days
    return age < 30, 30 <= age < 60, age < 90, True


def span(first, last):
    """The days from one to the other, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
