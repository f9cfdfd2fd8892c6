"""TLS and SASL for a broker of the `kafka` tool: listeners beside the plain one, for trying things.

The certificate is its own authority. The user's name and password are no secret: who can reach the
loopback may know them.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

USER = "machida"
PASSWORD = "machida-secret"
SCRAM = "SCRAM-SHA-256"
PROTOCOLS = ("SSL", "SASL_PLAINTEXT", "SASL_SSL")
"""Of the additional listeners, which have the same names."""

# The users of SCRAM are in the cluster, those of PLAIN in the settings.
SCRAM_USER = f"{SCRAM}=[name={USER},password={PASSWORD}]"

MODULES = "org.apache.kafka.common.security"
SETTINGS = """\
ssl.keystore.type=PKCS12
ssl.keystore.location={keystore}
ssl.keystore.password={password}
sasl.enabled.mechanisms=PLAIN,{scram}
"""
LOGIN = """\
listener.name.{name}.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required \\
  user_{user}="{password}";
listener.name.{name}.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Security:
    """What `security.json` in a broker's directory says.

    addresses: protocol -> HOST:PORT. ca: file with the certificate to trust, PEM.
    """

    addresses: dict[str, str]
    ca: str
    user: str = USER
    password: str = PASSWORD

    @classmethod
    def load(cls, directory: Path) -> "Security | None":
        """What a broker was made with, or None if it has the plain listener alone."""
        try:
            return cls(**json.loads((directory / "security.json").read_text()))
        except FileNotFoundError:
            return None

    @classmethod
    def make(cls, directory: Path, host: str, ports: Sequence[int]) -> "Security":
        """Makes a certificate for the host; ports: one for each protocol."""
        keystore = directory / "broker.p12"
        store = ["-keystore", str(keystore), "-storepass", PASSWORD, "-alias", "broker"]
        key = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650"]
        name = ["-dname", f"CN={host}", "-ext", f"SAN=IP:{host}", "-ext", "BC=ca:true"]
        ca = directory / "ca.pem"
        keystore.unlink(missing_ok=True)
        _keytool("-genkeypair", *store, "-storetype", "PKCS12", *key, *name)
        _keytool("-exportcert", *store, "-rfc", "-file", str(ca))
        addresses = {p: f"{host}:{port}" for p, port in zip(PROTOCOLS, ports, strict=True)}
        made = cls(addresses, str(ca))
        (directory / "security.json").write_text(json.dumps(asdict(made)))
        return made

    @property
    def listeners(self) -> str:
        """The listeners as the setting of that name has them."""
        return ",".join(f"{name}://{address}" for name, address in self.addresses.items())

    @property
    def settings(self) -> str:
        """What the broker's settings have besides."""
        keystore = Path(self.ca).with_name("broker.p12")
        logins = [
            LOGIN.format(name=p.lower(), modules=MODULES, user=self.user, password=self.password)
            for p in PROTOCOLS
            if p.startswith("SASL")
        ]
        common = SETTINGS.format(keystore=keystore, password=PASSWORD, scram=SCRAM)
        return common + "".join(logins)

    @property
    def text(self) -> str:
        """For a person."""
        lines = [f"{protocol} {address}" for protocol, address in self.addresses.items()]
        return "\n".join([*lines, f"ca {self.ca}", f"user {self.user} password {self.password}"])


def _keytool(*arguments: str) -> None:
    subprocess.run(["keytool", *arguments], check=True, capture_output=True)
