"""Makes the content of the stand-in GitLab from the source files in `demo/sources/`.

<directory>/stamp                       what it was filled from
<directory>/<slug>/project.json         id, path, name, description
<directory>/<slug>/repository.git       a bare repository
<directory>/<slug>/releases.json        see demo.projects
<directory>/<slug>/packages.json
<directory>/<slug>/uploads.json
<directory>/<slug>/jobs.json
<directory>/<slug>/files/<version>/…    packages that GitLab sends itself
<directory>/objects/packages/…          packages in the object store
<directory>/objects/public/…            objects that need no presigned address
"""

import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from demo.git import git, import_history
from demo.publishing import Publishing

SOURCE = Path(__file__).parent / "sources"
LARGE_BYTES = 64 * 1024 * 1024


def fill(directory: Path, *, large_bytes: int = LARGE_BYTES) -> None:
    """Fill the directory unless it is filled already; `large_bytes` is the size of the random file.

    The directory appears in one step. An interrupted fill leaves `<directory>.partial` and is
    repeated. Raises OSError, and CalledProcessError if git fails.
    """
    if is_filled(directory, large_bytes=large_bytes):
        return
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for source in sorted(SOURCE.iterdir()):
        _fill_project(source, partial, large_bytes)
    (partial / "stamp").write_text(_stamp(large_bytes))
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)


def is_filled(directory: Path, *, large_bytes: int = LARGE_BYTES) -> bool:
    """Whether the directory was made from the current sources."""
    try:
        return (directory / "stamp").read_text() == _stamp(large_bytes)
    except OSError:
        return False


def _stamp(large_bytes: int) -> str:
    digest = hashlib.sha256(str(large_bytes).encode())
    makers = Path(__file__).parent.glob("*.py")
    for source in sorted([*SOURCE.rglob("*"), *makers]):
        if source.is_file():
            digest.update(f"{source.relative_to(SOURCE.parent)}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def _fill_project(source: Path, directory: Path, large_bytes: int) -> None:
    document = tomllib.loads((source / "project.toml").read_text(encoding="utf-8"))
    slug = document["path"].rpartition("/")[2]
    repository = directory / slug / "repository.git"
    import_history(source / "history.fast-export", repository)
    publishing = Publishing(directory, document["path"], document["id"], large_bytes)
    releases = [_release(source, repository, publishing, r) for r in document.pop("releases")]
    _write(directory / slug / "project.json", document)
    _write(directory / slug / "releases.json", releases)
    _write(directory / slug / "packages.json", publishing.packages)
    _write(directory / slug / "uploads.json", publishing.uploads)
    _write(directory / slug / "jobs.json", publishing.jobs)


def _release(
    source: Path, repository: Path, publishing: Publishing, release: dict[str, Any]
) -> dict[str, Any]:
    """One release as `releases.json` holds it."""
    tag = release["tag"]
    notes = source / "notes" / f"{tag.replace('/', '-')}.md"
    return {
        "tag_name": tag,
        "name": release["name"],
        "description": notes.read_text(encoding="utf-8"),
        "created_at": release["released_at"],
        "released_at": release["released_at"],
        "commit": _commit(repository, tag),
        "links": publishing.publish(release),
    }


def _commit(repository: Path, tag: str) -> dict[str, str]:
    form = "%H%n%an%n%ae%n%aI%n%s"
    out = git(repository, "log", "-1", f"--format={form}", f"refs/tags/{tag}").decode()
    name, author, email, date, title = out.splitlines()
    return {
        "id": name,
        "short_id": name[:8],
        "title": title,
        "author_name": author,
        "author_email": email,
        "created_at": date,
    }


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
