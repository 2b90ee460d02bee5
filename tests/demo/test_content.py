"""The demo's content: real repositories, real archives, the same bytes everywhere."""

import hashlib
import json
import subprocess
import tarfile
import zipfile

import pytest

from demo.content import fill, is_filled
from demo.git import git
from demo.projects import find, projects

LARGE = 300_000


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo") / "content"
    fill(directory, large_bytes=LARGE)
    return directory


@pytest.mark.parametrize(
    ("path", "tag", "commit"),
    [
        ("icarus/pets", "v1.0.0", "9a42e91"),
        ("icarus/pets", "release/2.1", "1b3072b"),
        ("icarus/pets", "v2.1.0", "826ceeb"),
        ("icarus/prospects", "v1.1.1", "f3d07d9"),
    ],
)
def test_commit_ids_are_the_same_everywhere(content, path, tag, commit):
    found = git(find(content, path).repository, "rev-parse", f"refs/tags/{tag}^{{commit}}")
    assert found.decode().startswith(commit)


@pytest.mark.parametrize("path", ["icarus/pets", "icarus/prospects"])
def test_repositories_are_whole(content, path):
    repository = find(content, path).repository
    git(repository, "fsck", "--strict")
    assert int(git(repository, "rev-list", "--count", "--all")) >= 12
    assert len(git(repository, "branch", "--list").splitlines()) >= 2


def test_every_release_has_its_tag_and_notes(content):
    for project in projects(content):
        assert len(project.releases()) >= 6
        for release in project.releases():
            tag = f"refs/tags/{release['tag_name']}"
            assert git(project.repository, "cat-file", "-t", tag) == b"tag\n"
            assert release["description"]
            assert release["commit"]["title"]


def test_checksums_are_those_of_the_files(content):
    for project in projects(content):
        for package in project.packages():
            for file in package["files"]:
                raw = (content / file["location"]).read_bytes()
                assert hashlib.sha256(raw).hexdigest() == file["file_sha256"]
                assert len(raw) == file["size"]


def test_archives_hold_the_sources(content):
    folder = content / "pets" / "files" / "2.1.0"
    with zipfile.ZipFile(folder / "pets-2.1.0-windows.zip") as archive:
        assert "pets-2.1.0/pets/levels.py" in archive.namelist()
    with tarfile.open(folder / "pets-2.1.0-linux.tar.gz") as archive:
        assert "pets-2.1.0/tools/soak.py" in archive.getnames()


def test_the_noise_is_what_the_project_itself_makes(content, tmp_path):
    source = git(find(content, "11").repository, "show", "v2.1.0:tools/soak.py")
    (tmp_path / "soak.py").write_bytes(source)
    made = subprocess.run(["python3", tmp_path / "soak.py", "1"], capture_output=True, check=True)
    noise = content / "objects" / "packages" / "pets" / "2.1.0" / "pets-2.1.0-soak.bin"
    assert noise.read_bytes() == made.stdout[:LARGE]


def test_sums_name_what_a_visitor_saves(content):
    sums = (content / "pets" / "files" / "2.1.0" / "SHA256SUMS").read_text(encoding="utf-8")
    names = [line.split("  ", 1)[1] for line in sums.splitlines()]
    assert "pets-linux.tar.gz" in names
    assert "100%-tame.zip" in names


def test_a_fill_is_done_once(content):
    before = (content / "stamp").stat()
    fill(content, large_bytes=LARGE)
    after = (content / "stamp").stat()
    # Not the whole stat: reading the stamp moves its access time.
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not is_filled(content, large_bytes=LARGE + 1)


def test_an_interrupted_fill_is_done_again(tmp_path):
    left = tmp_path / "content.partial" / "pets"
    left.mkdir(parents=True)
    (left / "half").touch()
    fill(tmp_path / "content", large_bytes=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["content"]
    assert not list(tmp_path.rglob("half"))


def test_releases_can_be_replaced(tmp_path):
    (tmp_path / "pets").mkdir()
    about = {"id": 1, "path": "a/pets", "name": "Pets", "description": ""}
    (tmp_path / "pets" / "project.json").write_text(json.dumps(about))
    find(tmp_path, "a/pets").save_releases([{"tag_name": "v1"}])
    assert find(tmp_path, "1").releases() == [{"tag_name": "v1"}]
    assert find(tmp_path, "2") is None
