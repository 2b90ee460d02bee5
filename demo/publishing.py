"""Makes the assets of a release: their bytes, their place in storage, the links to them."""

import hashlib
import os
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from demo.git import git

BLOCK = 1024 * 1024


class Publishing:
    """The packages and links of one project, collected release by release.

    Addresses in links begin with `{gitlab}` or `{objects}`, because the ports are known only when
    the stand-in runs.
    """

    def __init__(self, directory: Path, path: str, project: int, large_bytes: int) -> None:
        self.packages: list[dict[str, Any]] = []
        self._directory = directory
        self._path = path
        self._slug = path.rpartition("/")[2]
        self._project = project
        self._large_bytes = large_bytes
        self.uploads: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self._files = project * 1000
        self._links = project * 1000

    def publish(self, release: dict[str, Any]) -> list[dict[str, Any]]:
        """Make the assets of one release of `project.toml`; its links, the newest first."""
        assets = release.get("assets", [])
        links = []
        sums = ""
        for asset in assets:
            if "url" in asset:  # a page elsewhere: nothing is made
                links.append(_outgoing(asset))
                continue
            path = self._make(release["tag"], asset, sums)
            time = datetime.fromisoformat(release["released_at"]).timestamp()
            os.utime(path, (time, time))
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            sums += f"{sha256}  {_public_name(asset)}\n"
            links.append(self._stored(release, asset, path, sha256))
        # GitLab lists the newest link first; these numbers keep the order of the file.
        self._links += len(links)
        return [{"id": self._links - i, **link} for i, link in enumerate(links)]

    def _place(self, tag: str, asset: dict[str, Any]) -> Path:
        stores = {
            "package": self._directory / self._slug / "files",
            "objects": self._directory / "objects" / "packages" / self._slug,
            "link": self._directory / "objects" / "public" / self._slug,
            "numbered": self._directory / self._slug / "files",
            "upload": self._directory / self._slug / "uploads",
            "artifact": self._directory / self._slug / "artifacts",
        }
        store: str = asset.get("store", "package")
        return stores[store] / _version(tag) / str(asset["file"])

    def _make(self, tag: str, asset: dict[str, Any], sums: str) -> Path:
        path = self._place(tag, asset)
        path.parent.mkdir(parents=True, exist_ok=True)
        repository = self._directory / self._slug / "repository.git"
        paths = asset.get("paths", [])
        if asset["make"] == "noise":
            _make_noise(path, self._large_bytes)
        elif asset["make"] == "sums":
            path.write_text(sums, encoding="utf-8")
        elif asset["make"] == "file":
            path.write_bytes(git(repository, "show", f"refs/tags/{tag}:{paths[0]}"))
        else:
            prefix = f"{self._slug}-{_version(tag)}/"
            options = (f"--prefix={prefix}", f"--output={path.absolute()}")
            git(repository, "archive", *options, f"refs/tags/{tag}", *paths)
        return path

    def _stored(
        self, release: dict[str, Any], asset: dict[str, Any], path: Path, sha256: str
    ) -> dict[str, Any]:
        """Note the file where its store has a list, and make the link to it."""
        store = asset.get("store", "package")
        if store == "upload":
            url = self._add_upload(path)
        elif store == "artifact":
            url = self._add_job(release["tag"], asset, path)
        elif store == "numbered":
            self._add_file(release, path, sha256)
            url = f"/{self._path}/-/package_files/{self._files}/download"
        else:
            if store != "link":
                self._add_file(release, path, sha256)
            return self._link(release["tag"], asset)
        return {**self._link(release["tag"], asset), "url": f"{{gitlab}}{url}"}

    def _add_upload(self, path: Path) -> str:
        """An upload as `glab release upload --use-package-registry=false` makes it."""
        secret = hashlib.md5(path.name.encode(), usedforsecurity=False).hexdigest()
        location = str(path.relative_to(self._directory))
        self.uploads.append({"secret": secret, "file_name": path.name, "location": location})
        return f"/-/project/{self._project}/uploads/{secret}/{quote(path.name)}"

    def _add_job(self, tag: str, asset: dict[str, Any], path: Path) -> str:
        """A job of the tag whose artifacts are an archive with this file in `bin/`."""
        number = self._project * 100 + len(self.jobs)
        archive = path.with_name(f"{number}.zip")
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr(zipfile.ZipInfo(f"bin/{path.name}"), path.read_bytes())
        location = str(archive.relative_to(self._directory))
        job = {"id": number, "name": asset["job"], "ref": tag, "location": location}
        self.jobs.append(job)
        if asset.get("raw"):
            return f"/{self._path}/-/jobs/{number}/artifacts/raw/bin/{quote(path.name)}"
        ref = quote(tag, safe="/")
        return f"/{self._path}/-/jobs/artifacts/{ref}/download?job={quote(asset['job'])}"

    def _add_file(self, release: dict[str, Any], path: Path, sha256: str) -> None:
        self._files += 1
        package = self._package(release)
        file = {
            "id": self._files,
            "created_at": release["released_at"],
            "file_name": path.name,
            "size": path.stat().st_size,
            "file_sha256": sha256,
            "location": str(path.relative_to(self._directory)),
        }
        package["files"].append(file)

    def _package(self, release: dict[str, Any]) -> dict[str, Any]:
        version = _version(release["tag"])
        if not self.packages or self.packages[-1]["version"] != version:
            number = self._project * 100 + len(self.packages)
            entry = {"id": number, "name": self._slug, "version": version}
            self.packages.append({**entry, "created_at": release["released_at"], "files": []})
        return self.packages[-1]

    def _link(self, tag: str, asset: dict[str, Any]) -> dict[str, Any]:
        version, file = quote(_version(tag)), quote(asset["file"])
        package = f"{{gitlab}}/api/v4/projects/{self._project}/packages/generic/{self._slug}"
        store = package if asset.get("store") != "link" else f"{{objects}}/public/{self._slug}"
        return {
            "name": asset["label"],
            "url": f"{store}/{version}/{file}",
            "filepath": asset.get("filepath"),
            "link_type": asset["type"],
        }


def _outgoing(asset: dict[str, Any]) -> dict[str, Any]:
    """A link to a page for people, such as a runbook."""
    url, kind = asset["url"], asset["type"]
    return {"name": asset["label"], "url": url, "filepath": None, "link_type": kind}


def _version(tag: str) -> str:
    """A tag as a package version: without the v, and without slashes, which GitLab forbids."""
    return tag.removeprefix("v").replace("/", "-")


def _public_name(asset: dict[str, Any]) -> str:
    """The name a visitor saves it under."""
    return str(asset.get("filepath") or asset["file"]).rpartition("/")[2]


def _make_noise(path: Path, size: int) -> None:
    """Bytes that do not compress, the same on every machine; tools/soak.py of pets makes them."""
    with path.open("wb") as file:
        for number in range(-(-size // BLOCK)):
            wanted = min(BLOCK, size - number * BLOCK)
            file.write(hashlib.shake_128(f"pets soak 1 {number}".encode()).digest(wanted))
