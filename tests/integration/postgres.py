"""A PostgreSQL of the tests' own: a fresh cluster in a temporary folder, on a free port, gone when the tests end.

As a module it gives the pytest fixtures `postgres` (one cluster a run) and `database` (a fresh database's URL):

    from postgres import postgres, database  # noqa: F401

As a program it runs other programs with it, one after the other, and fails when one of them does:

    postgres.py [--postgres|--pgbouncer] PROGRAM…

They find RLX_TEST_POSTGRES_ADMIN (a direct URL of the database "postgres") and RLX_TEST_POSTGRES_URL (a URL with %s where the
database's name belongs; with --pgbouncer it leads through PgBouncer in transaction mode). Needs Debian's postgresql and pgbouncer.
"""
import contextlib
import itertools
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

USER, PASSWORD = "relayx", "p@ss/word"
QUOTED = "p%40ss%2Fword"


def free_port():
    """One below those that the system gives to clients and that the other tests take."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", random.randrange(10000, 15000)))
            return s.getsockname()[1]


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql pgbouncer")
    return found[-1].parent


DIE_WITH_US = ["setpriv", "--pdeathsig", "INT"]


def as_user():
    """initdb, postgres and pgbouncer refuse to run as root: Debian's user postgres then."""
    if os.geteuid():
        return {}
    who = pwd.getpwnam("postgres")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


class Cluster:
    def __init__(self, pgbouncer=False):
        self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rlx-pg-"))
        self.port = free_port()
        self.process = self.bouncer = self.bouncer_port = None
        self.numbers = itertools.count(1)
        if not os.geteuid():
            shutil.chown(self.folder, "postgres", "postgres")
        try:
            self.make()
            self.start()
            if pgbouncer:
                self.start_bouncer()
        except BaseException:
            self.close()
            raise

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def make(self):
        password = self.write("password", PASSWORD + "\n")
        subprocess.run([self.bin / "initdb", "-D", self.folder / "data", "-U", USER, "-A", "scram-sha-256",
                        f"--pwfile={password}", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user())

    def start(self):
        """Starts the server and waits until it takes connections."""
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
                    "fsync": "off", "full_page_writes": "off", "max_connections": 200, "shared_buffers": "32MB",
                    "logging_collector": "off", "log_min_messages": "fatal"}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*DIE_WITH_US, self.bin / "postgres", "-D", self.folder / "data",
                 *(a for k, v in settings.items() for a in ("-c", f"{k}={v}"))],
                stdout=log, stderr=log, cwd="/", start_new_session=True, **as_user())
        self.wait(lambda: self.sql("SELECT 1") == "1", "PostgreSQL")

    def wait(self, ready, what):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.CalledProcessError, OSError):
                if ready():
                    return
            time.sleep(0.05)
        raise TimeoutError(f"{what} did not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def stop(self, how=signal.SIGINT):
        """SIGINT is a fast shutdown, SIGQUIT an immediate one."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def signal_all(self, which):
        server = self.process.pid
        children = pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in (server, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, which)

    def pause(self):
        """Nothing answers any more, but every connection stays: what a cut network looks like."""
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def start_bouncer(self):
        self.bouncer_port = free_port()
        users = self.write("users.txt", f'"{USER}" "{PASSWORD}"\n')
        config = self.write("pgbouncer.ini", f"""[databases]
* = host=127.0.0.1 port={self.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.bouncer_port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
server_idle_timeout = 5
""")
        with open(self.folder / "log", "ab") as log:
            self.bouncer = subprocess.Popen([*DIE_WITH_US, "/usr/sbin/pgbouncer", config], stdout=log, stderr=log, cwd="/",
                                            start_new_session=True, **as_user())
        self.wait(lambda: self.psql(self.url("postgres", True), "SELECT 1") == "1", "PgBouncer")

    def url(self, name="postgres", pooled=False):
        """pooled: through PgBouncer, as its users write it."""
        port, more = (self.bouncer_port, "?pgbouncer=true") if pooled else (self.port, "")
        return f"postgresql://{USER}:{QUOTED}@127.0.0.1:{port}/{name}{more}"

    def psql(self, url, sql):
        return subprocess.run([self.bin / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url.split("?")[0], "-c", sql],
                              check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def sql(self, sql, name="postgres"):
        """Runs SQL in a database and gives the answer as text, columns parted by |."""
        return self.psql(self.url(name), sql)

    def database(self, pooled=False):
        """The URL of a new, empty database."""
        name = f"d{os.getpid()}_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name, pooled)

    def close(self):
        for process in (self.bouncer, self.process):
            if process and process.poll() is None:
                if process is self.process:
                    self.resume()
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_all(arguments):
    pooled = "--pgbouncer" in arguments
    failed = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cluster = Cluster(pooled)
    try:
        pattern = cluster.url("NAME", pooled).replace("%", "%%").replace("NAME", "%s")
        env = {**os.environ, "RLX_TEST_POSTGRES_ADMIN": cluster.url(), "RLX_TEST_POSTGRES_URL": pattern}
        for program in (a for a in arguments if not a.startswith("--")):
            if subprocess.run([program], env=env).returncode:
                failed.append(os.path.basename(program))
    finally:
        cluster.close()
    if failed:
        sys.exit(f"failed: {' '.join(failed)}")


if __name__ == "__main__":
    run_all(sys.argv[1:])
else:
    import pytest

    @pytest.fixture(scope="session")
    def postgres():
        cluster = Cluster(pgbouncer=True)
        yield cluster
        cluster.close()

    @pytest.fixture
    def database(postgres):
        return postgres.database()
