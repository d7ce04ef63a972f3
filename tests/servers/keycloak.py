"""Keycloak, the real thing, from Maven Central. Its database is filled once, and copied for each start.

Realms: `master`, and `rotating`, where a refresh token works once. Users: `alice`/`wonderland`,
`user`/`pwd`, and the administrator `admin`/`admin`. Clients: see keycloak_realms.py. Settings:
`TTL_ACCESS=5` (seconds), and `REALM_ssoSessionIdleTimeout=30` for any member of Keycloak's realm
representation, change both realms.

As with `kc.sh start-dev`, the issuer follows the Host header: ask at one name and stay with it. It sets
`Secure` cookies on http too, which browsers accept on loopback.
"""

import os
import shutil
import zipfile
from pathlib import Path

from tests.servers import keycloak_realms
from tests.servers.base import Launch, Server, spawned
from tests.servers.prerequisites import java_home, maven, trusting_this_machine
from tests.servers.process import digest, run

VERSION = "26.7.3"
# beside what is on by default
FEATURES = "cimd,identity-assertion-jwt,resource-indicators,spiffe,client-auth-abca"
# For a quick start and little memory, not for throughput
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms128m -Xmx768m -XX:MaxMetaspaceSize=320m"
THREADS = "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
OPENED = ("java.lang", "java.util", "java.util.concurrent", "java.security")


class Keycloak(Server):
    """See the head of this file."""

    name = "keycloak"
    megabytes = 190
    discovery = "/realms/master/.well-known/openid-configuration"

    @property
    def dist(self) -> Path:
        """The unpacked distribution."""
        return self.home / f"keycloak-{VERSION}"

    def fingerprint(self) -> str:
        """Another version, other features, other realms or another Java."""
        return digest(VERSION, FEATURES, Path(keycloak_realms.__file__), str(java_home()))

    def install(self) -> None:
        """Download, build for our options, and fill the database that each start copies."""
        archive = self.home / f"keycloak-quarkus-dist-{VERSION}.zip"
        java = {**os.environ, "JAVA_HOME": str(java_home())}
        if not archive.exists():
            run(
                maven(),
                "--quiet",
                "--batch-mode",
                "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                f"-DoutputDirectory={self.home}",
                f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip",
                env={**java, "MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} {trusting_this_machine()}".strip()},
            )
        shutil.rmtree(self.dist, ignore_errors=True)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(self.home)
        kc = self.dist / "bin" / "kc.sh"
        kc.chmod(0o755)
        run(kc, "build", "--db=dev-file", "--cache=local", f"--features={FEATURES}", env=java)

        template = self.home / "template"
        shutil.rmtree(template, ignore_errors=True)
        template.mkdir()
        first = Keycloak()
        with spawned(first.launch(template / "db"), self.home / "install-log.txt") as child:
            first.log = self.home / "install-log.txt"
            first.wait_for(child)
            keycloak_realms.provision(first.origin, self.keys)

    def prepare(self) -> Launch:
        """A copy of the filled database."""
        for path in (self.home / "template").iterdir():
            shutil.copy(path, self.state / path.name)
        return self.launch(self.state / "db")

    def adjust(self) -> None:
        """Realm settings go through the admin API."""
        keycloak_realms.adjust(self.origin, self.settings)

    def launch(self, database: Path) -> Launch:
        """What kc.sh would exec, without the shell in between: the pid is Java's own."""
        command: list[str | Path] = [
            java_home() / "bin" / "java",
            *self.settings.get("JAVA_OPTS", JAVA_OPTIONS).split(),
            f"-Dkc.home.dir={self.dist}",
            f"-Djboss.server.config.dir={self.dist}/conf",
            "-Dfile.encoding=UTF-8",
            "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
            "-Dquarkus-log-max-startup-records=10000",
            f"-Djava.util.concurrent.ForkJoinPool.common.threadFactory={THREADS}",
            *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
            "--enable-native-access=ALL-UNNAMED",
            "-Duser.language=en",
            "-Duser.country=US",
            "-Dpicocli.disable.closures=true",
            "-cp",
            self.dist / "lib" / "quarkus-run.jar",
            "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
            "start",
            "--optimized",
            "--http-enabled=true",
            "--http-host=127.0.0.1",
            f"--http-port={self.port}",
            "--hostname-strict=false",
            "--log-level=WARN",
            f"--db-url=jdbc:h2:file:{database};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE",
        ]
        environment = {
            "JAVA_HOME": str(java_home()),
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
        }
        return Launch(command, environment, self.home)
