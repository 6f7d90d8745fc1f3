"""Prepares the environment of this checkout from the hash-locked requirements and runs commands in it.

Standard library only, since it is the first thing that runs on a fresh machine. `python3 bootstrap.py install` makes
`.venv` (or `.deps` where Python comes without `venv`/`ensurepip`); `... run NAME ARGS` does that if needed and then
becomes the command NAME of that environment; `... clean` removes what was built.
"""

import sys

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
if sys.version_info < (3, 11):
    sys.exit(f"Tranship needs Python 3.11 or newer; this is {VERSION}. Try: make PYTHON=python3.11")

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
DEPS = ROOT / ".deps"
STAMP = "tranship.stamp"
BASE_PYTHON = os.path.realpath(sys.executable)  # inside `.venv` this leads out of it, so that it can be made anew
BUILT = (
    ".venv",
    ".deps",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".import_linter_cache",
    ".hypothesis",
    "build",
    "dist",
)
PIP = (
    "install",
    "--quiet",
    "--quiet",
    "--no-compile",
    "--disable-pip-version-check",
    "--no-input",
    "--root-user-action=ignore",
)
PROGRAMS = ("app.main", "app.migrations", "app.demo", "app.sandboxes", "workers.main", "connectors.registry")
LAUNCHER = """#!{python}
import sys
sys.path[:0] = [{root!r}, {deps!r}]
from app.cli import main
sys.exit(main())
"""


class CannotInstall(Exception):
    """The environment cannot be made; the text says what the person at the keyboard can do."""


def have(module: str) -> bool:
    """Whether `module` can be imported by this Python; Debian ships `venv` without `ensurepip`, for example."""
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def choose_place() -> Path:
    """`.venv` where the standard library can make one with pip inside, else `.deps` when this Python has pip.

    Raises CannotInstall with the packages to install when neither is possible.
    """
    if have("venv") and have("ensurepip"):
        return VENV
    if have("pip"):
        return DEPS
    raise CannotInstall(
        f"Python {VERSION} at {sys.executable} has neither venv with ensurepip nor pip, so nothing can be installed.\n"
        f"  Debian, Ubuntu:  apt-get install python{VERSION}-venv   (or python3-pip)\n"
        f"  Fedora, RHEL:    dnf install python3-pip\n"
        f"  elsewhere:       a Python from python.org has both; then: make PYTHON=/path/to/python3"
    )


def base_mark() -> str:
    """What an environment cannot survive a change of: the interpreter and the folder (its scripts name both)."""
    return f"{sys.version} {BASE_PYTHON} {ROOT}"


def content_mark() -> str:
    """Digest of what is installed: the lock and the project's own metadata."""
    return hashlib.sha256(LOCK.read_bytes() + b"\0" + PROJECT.read_bytes()).hexdigest()


def read_stamp(place: Path) -> dict[str, str]:
    """The stamp of a finished installation, or an empty one."""
    try:
        stamp = json.loads((place / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def is_current(place: Path) -> bool:
    return read_stamp(place) == {"base": base_mark(), "content": content_mark()}


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Keeps two commands started together from installing into one folder; the second waits for the first."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def call(*command: object) -> None:
    """Runs one installation step; raises CannotInstall when it fails (its own output stands above)."""
    if subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode:
        raise CannotInstall("The step above failed: " + " ".join(str(part) for part in command[:6]))


def install_venv(*, keep: bool) -> None:
    """Fills `.venv`; `keep` adds to the one that is there, else it is made anew."""
    if not keep:
        shutil.rmtree(VENV, ignore_errors=True)
        call(BASE_PYTHON, "-m", "venv", VENV)
    python = VENV / "bin" / "python"
    call(python, "-m", "pip", *PIP, "--require-hashes", "-r", LOCK)
    call(python, "-m", "pip", *PIP, "--no-deps", "--no-build-isolation", "--editable", ROOT)


def install_deps() -> None:
    """Fills `.deps` with the system's pip, which PEP 668 allows for a target folder; always from nothing."""
    fresh = ROOT / "build" / "deps"
    shutil.rmtree(fresh, ignore_errors=True)
    # What else this Python has beside it is no business of a folder of its own.
    call(sys.executable, "-m", "pip", *PIP, "--no-warn-conflicts", "--require-hashes", "--target", fresh, "-r", LOCK)
    launcher = fresh / "bin" / "tranship"
    launcher.write_text(LAUNCHER.format(python=sys.executable, root=str(ROOT), deps=str(DEPS)))
    launcher.chmod(0o755)
    shutil.rmtree(DEPS, ignore_errors=True)
    fresh.rename(DEPS)


def keep_bytecode(place: Path) -> None:
    """Imports once what the service's processes import, so that none of them has to compile it at every start.

    Some environments forbid Python to do so by itself; what cannot be kept here is compiled as before.
    """
    env = environment(place)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        env.pop(name, None)
    python = VENV / "bin" / "python" if place == VENV else sys.executable
    command = [str(python), "-c", f"import {', '.join(PROGRAMS)}"]
    with contextlib.suppress(OSError):
        subprocess.run(command, cwd=ROOT, env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def install() -> Path:
    """Makes the environment current and returns its folder; does nothing when its stamp is current."""
    for place in (VENV, DEPS):
        if is_current(place):
            return place
    if not os.access(ROOT, os.W_OK):
        raise CannotInstall(f"{ROOT} is not writable for this user; work in a copy of your own.")
    place = choose_place()
    with only_one():
        if is_current(place):
            return place
        print(f"Installing into {place.name} from {LOCK.name}, about half a minute ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        stamp = read_stamp(place)
        (place / STAMP).unlink(missing_ok=True)
        if place == VENV:
            install_venv(keep=stamp.get("base") == base_mark())
        else:
            install_deps()
        keep_bytecode(place)
        (place / STAMP).write_text(json.dumps({"base": base_mark(), "content": content_mark()}))
        print(f"Installed in {time.monotonic() - started:.0f} s.", file=sys.stderr, flush=True)
    return place


def environment(place: Path) -> dict[str, str]:
    """The variables under which commands of `place` find each other and, in `.deps`, their packages."""
    env = dict(os.environ)
    env["PATH"] = f"{place / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env.pop("PYTHONHOME", None)
    if place == DEPS:
        env["PYTHONPATH"] = f"{ROOT}{os.pathsep}{DEPS}"
    else:
        env.pop("PYTHONPATH", None)
        env["VIRTUAL_ENV"] = str(VENV)
    return env


def run(name: str, arguments: list[str]) -> NoReturn:
    """Replaces this process by command `name` of the environment, made current first."""
    place = install()
    program = place / "bin" / name
    if place == DEPS and name == "python":
        program = Path(sys.executable)
    if not program.exists():
        raise CannotInstall(f"The environment {place.name} has no command {name!r}.")
    sys.stdout.flush()
    os.execve(program, [str(program), *arguments], environment(place))


def clean() -> None:
    """Removes environments, caches and build output; data folders (`.data`) are a person's own and stay."""
    for name in BUILT:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in ("app", "connectors", "workers", "alembic", "tests"):
        for cache in sorted((ROOT / folder).rglob("__pycache__")):
            shutil.rmtree(cache, ignore_errors=True)


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["install"]:
            install()
        elif arguments == ["clean"]:
            clean()
        elif len(arguments) >= 2 and arguments[0] == "run":
            run(arguments[1], arguments[2:])
        else:
            print("usage: bootstrap.py install | run NAME [ARGUMENTS] | clean", file=sys.stderr)
            return 2
    except CannotInstall as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
