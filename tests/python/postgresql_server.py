"""A PostgreSQL server of the tests' own, on loopback, in a temporary folder.

Debian keeps the server's programs in /usr/lib/postgresql. They refuse to run as root, so root lends them the user
postgres. The server is stopped when the block ends, however that is.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MissingServer", "running_server"]

_SETTINGS = {"listen_addresses": "127.0.0.1", "fsync": "off", "synchronous_commit": "off", "shared_buffers": "32MB"}


class MissingServer(Exception):
    """The server's programs are not installed, or there is no user to run them."""


def _program(name: str) -> str:
    """Its path, of the newest version installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise MissingServer(f"{name} of PostgreSQL is not installed: run make setup")
    return found


def _user() -> pwd.struct_passwd | None:
    """Whom to run the server as; None: who runs the tests."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise MissingServer("PostgreSQL does not run as root, and there is no user postgres") from None


def _run(command: list[str], user: pwd.struct_passwd | None, folder: Path) -> None:
    ids = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, **ids)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_server() -> Iterator[str]:
    """Its address, while the block runs.

    Raises
    ------
    MissingServer
        If it cannot be had on this machine.
    """
    initdb, pg_ctl, user = _program("initdb"), _program("pg_ctl"), _user()
    folder = Path(tempfile.mkdtemp(prefix="starlings-postgresql-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = folder / "data", _free_port()
        _run([initdb, "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], user, folder)
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options = f"-p {port} -k {folder} {settings}"
        _run([pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start"], user, folder)
        try:
            yield f"postgresql://tests@127.0.0.1:{port}/postgres"
        finally:
            _run([pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop"], user, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
