"""The description of a running server that a test gets."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

CALLBACK = "http://127.0.0.1:9499/cb"
"""The redirect URI that every server's clients have registered; nothing needs to listen there."""


@dataclass(frozen=True, slots=True)
class RealServer:
    """A running server: where it is, and where it keeps its keys and its log."""

    name: str
    issuer: str
    origin: str
    discovery: str
    port: int
    pid: int
    keys: Path
    log: Path
    ca: Path | None = None

    def realm(self, name: str) -> str:
        """The issuer of another realm of Keycloak (`rotating`: a refresh token works once)."""
        return f"{self.origin}/realms/{name}"

    def to_json(self) -> str:
        """One line, read back by `from_json`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> "RealServer":
        """Read what `to_json` wrote."""
        members = json.loads(line)
        for name in ("keys", "log", "ca"):
            members[name] = Path(members[name]) if members[name] else None
        return cls(**members)
