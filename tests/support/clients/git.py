"""Programs that clone and fetch, what each does, and how many rows this makes.

The rule: one row for each advertisement (`info/refs?service=git-upload-pack`) that is asked for.
"""

import io
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pygit2
from dulwich import porcelain

from demo.git import git as in_repository
from tests.support.clients.visits import Client

BRANCH = "with-submodule"


def add_submodule(content):
    """Give pets a branch that has prospects as its submodule, as a relative address."""
    repository = content / "pets/repository.git"
    commit = (
        in_repository(content / "prospects/repository.git", "rev-parse", "HEAD").decode().strip()
    )
    modules = '[submodule "prospects"]\n\tpath = prospects\n\turl = ../prospects.git\n'
    stream = (
        f"commit refs/heads/{BRANCH}\ncommitter A <a@example.com> 1700000000 +0000\n"
        f"data 1\nx\nfrom refs/heads/main^0\nM 160000 {commit} prospects\n"
        f"M 644 inline .gitmodules\ndata {len(modules)}\n{modules}\n"
    )
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, input=stream.encode(), cwd=repository, check=True)


def gits(*commands):
    """A visit of these git commands, one after the other."""
    return lambda visit: [visit.git(command) for command in commands]


def versions(*commands):
    """The same with each version of the protocol."""

    def does(visit):
        for version in (0, 1, 2):
            for command in commands:
                visit.git(f"-c protocol.version={version} {command.replace('N', str(version))}")

    return does


def at_once(visit):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: visit.git(f"clone -q {{url}}/pets.git x{n}"), range(4)))


def broken(visit):
    with visit.through_proxy(cuts=1, after=5_000):
        visit.run("git clone -q {url}/pets.git x", status=128)
        visit.run("git clone -q {url}/pets.git x")


def submodule(visit):
    with visit.through_proxy():
        visit.run(f"git clone -q --recurse-submodules -b {BRANCH} {{url}}/pets.git x")
    assert (visit.directory / "x/prospects/README.md").exists()


def dulwich(visit):
    with visit.through_proxy():
        url, place = f"{visit.url}/pets.git", os.fspath(visit.directory / "x")
        porcelain.clone(url, place, errstream=io.BytesIO()).close()
        porcelain.fetch(place, errstream=io.BytesIO(), outstream=io.StringIO())
        assert porcelain.ls_remote(url).refs


def libgit2(visit):
    with visit.through_proxy():
        made = pygit2.clone_repository(f"{visit.url}/pets.git", os.fspath(visit.directory / "x"))
        made.remotes["origin"].fetch()
        assert made.remotes["origin"].list_heads()


CLONE = "clone -q {url}/pets.git x"
CLIENTS = (
    Client("git, v0, v1 and v2", versions("clone -q {url}/pets.git xN"), "one each", pets=3),
    Client(
        "git fetch, v0, v1 and v2",
        versions("clone -q {url}/pets.git xN", "-C xN fetch -q"),
        "a clone and a fetch each",
        pets=6,
    ),
    Client("git ls-remote", versions("ls-remote -q {url}/pets.git"), "one each", pets=3),
    Client("git, shallow", gits(f"{CLONE} --depth=1"), "depth is in the second request", pets=1),
    Client(
        "git, unshallowed",
        gits(f"{CLONE} --depth=1", "-C x fetch --unshallow"),
        "and a fetch, and once more for the tags",
        pets=3,
    ),
    Client(
        "git, partial",
        gits(f"{CLONE} --filter=blob:none"),
        "the checkout asks again for what it lacks",
        pets=2,
    ),
    Client(
        "git, partial, no checkout",
        gits(f"{CLONE} --filter=blob:none --no-checkout"),
        "nothing is lacking yet",
        pets=1,
    ),
    Client("git, one branch", gits(f"{CLONE} --single-branch -b stable-2.1"), "one", pets=1),
    Client("git, mirror", gits(f"{CLONE} --mirror"), "one", pets=1),
    Client(
        "git fetch, no news",
        gits(CLONE, "-C x fetch", "-C x fetch"),
        "it has to ask to know that",
        pets=3,
    ),
    Client(
        "git fetch, news",
        gits(f"{CLONE} --single-branch -b v2.0.0", "-C x fetch origin main"),
        "news or not",
        pets=2,
    ),
    Client("git pull", gits(CLONE, "-C x pull -q"), "a pull is a fetch", pets=2),
    Client(
        "git, two projects",
        gits(CLONE, "clone -q {url}/prospects.git y"),
        "one of each",
        pets=1,
        prospects=1,
    ),
    Client("git, a submodule", submodule, "one more, of its own project", pets=1, prospects=1),
    Client("git, without .git", gits("clone -q {url}/pets x"), "the redirect is none", pets=1),
    Client("4 gits at once", at_once, "one each", pets=4),
    Client("git, cut off", broken, "a clone cannot be resumed: it begins anew", pets=2),
    Client(
        "git push",
        lambda visit: visit.git("push {url}/pets.git x", status=None),
        "refused before anything",
    ),
    Client("dulwich", dulwich, "clone, fetch, ls-remote", pets=3),
    Client("pygit2", libgit2, "clone, fetch, ls-remote", pets=3),
)
