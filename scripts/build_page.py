"""Build the page that composes a project: ``python scripts/build_page.py SITE``.

The folder SITE is rebuilt from ``docs/page/``, the template in the work tree,
cookiecutter from pip, and Python for browsers from npm. Needs git, pip and npm.
Everything but ``index.html`` is in a folder named after its contents, so that browsers
never mix the files of two deployments.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "page"
OWN = "OWNER/cookiecutter-django-simplejwt"
TEMPLATE = ["cookiecutter.json", "jwt_*.py", "hooks", "templates", "{{cookiecutter.*"]
# What the page needs of cookiecutter and the packages that pip installs with it.
PACKAGES = """
binaryornot click cookiecutter jinja2 markupsafe python_slugify rich slugify
text_unidecode
""".split()
PYODIDE = "314.0.7"
INTEGRITY = (  # from npm
    "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7"
    "y2q+SNvi/6V5JEsOlD2R1A=="
)
RUNTIME = """
package.json pyodide.mjs pyodide.asm.mjs pyodide.asm.wasm python_stdlib.zip
pyodide-lock.json
""".split()


def run(*command: str) -> str:
    """Run a command, which must succeed, and return its output."""
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def runtime(folder: Path, target: Path) -> None:
    """Download Pyodide into ``folder`` and unpack what browsers need of it."""
    run("npm", "pack", "--silent", f"--pack-destination={folder}", f"pyodide@{PYODIDE}")
    package = folder / f"pyodide-{PYODIDE}.tgz"
    digest = hashlib.sha512(package.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        sys.exit(f"The contents of {package.name} are not those of INTEGRITY.")
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    for name in RUNTIME:
        shutil.copy(folder / "package" / name, target)


def plain(item: tarfile.TarInfo) -> tarfile.TarInfo:
    """Keep only the properties of a file that git keeps."""
    item.mode = 0o755 if item.mode & 0o100 else 0o644
    item.mtime = item.uid = item.gid = 0
    item.uname = item.gname = ""
    return item


def python(folder: Path, target: Path) -> None:
    """Pack the page's Python, the packages and the template's work tree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    run(*pip, "--target", str(folder), *project["dependencies"])
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    with tarfile.open(target, "w:bz2") as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            wanted = inside.parts[0].split("-")[0] in PACKAGES and path.suffix != ".so"
            if path.is_file() and wanted:
                archive.add(path, inside, filter=plain)
        for name in sorted(run(*listing, "--", *TEMPLATE).split("\0")[:-1]):
            if (ROOT / name).is_file():
                archive.add(ROOT / name, f"template/{name}", filter=plain)
        archive.add(PAGE / "page.py", "page.py", filter=plain)


def build(site: Path) -> None:
    """Rebuild the site in that folder."""
    shutil.rmtree(site, ignore_errors=True)
    files = site / "files"
    (files / "pyodide").mkdir(parents=True)
    for source in (ROOT / "cookiecutter.json", *PAGE.glob("*.css"), *PAGE.glob("*.js")):
        shutil.copy(source, files)
    with tempfile.TemporaryDirectory() as folder:
        runtime(Path(folder), files / "pyodide")
        python(Path(folder, "packages"), files / "python.tar.bz2")
    contents = hashlib.sha256()
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        contents.update(path.read_bytes())
    version = contents.hexdigest()[:12]
    files.rename(site / version)
    index = (PAGE / "index.html").read_text("utf-8").replace("VERSION", version)
    own = os.environ.get("GITHUB_REPOSITORY", OWN)
    (site / "index.html").write_text(index.replace(OWN, own), "utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
