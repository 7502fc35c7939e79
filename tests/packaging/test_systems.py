"""What only some systems have is neither used on import nor, unless it is looked for first, anywhere else."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("engine", "live", "training")

NOT_ON_WINDOWS = {
    "os": (
        *(
            "chown",
            "chroot",
            "confstr",
            "ctermid",
            "eventfd",
            "fchmod",
            "fchown",
            "fork",
            "forkpty",
            "getegid",
        ),
        *("geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority", "getsid"),
        *("getuid", "initgroups", "killpg", "lchown", "lockf", "major", "makedev", "memfd_create", "minor"),
        *("mkfifo", "mknod", "nice", "openpty", "pathconf", "pipe2", "posix_fadvise", "posix_spawn", "pread"),
        *("pwrite", "readv", "register_at_fork", "sched_getaffinity", "sched_param", "sched_setaffinity"),
        *("sched_setscheduler", "sched_yield", "sendfile", "setegid", "seteuid", "setgid", "setpgid"),
        *(
            "setpriority",
            "setsid",
            "setuid",
            "sync",
            "sysconf",
            "tcgetpgrp",
            "ttyname",
            "uname",
            "wait",
            "wait3",
        ),
        *("wait4", "waitid", "writev", "SCHED_FIFO", "SCHED_OTHER", "SCHED_RR", "O_CLOEXEC", "O_DIRECTORY"),
        *("O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WEXITSTATUS", "WIFEXITED", "WIFSIGNALED", "WNOHANG"),
    ),
    "signal": (
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP"),
        *("SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill"),
        *(
            "pthread_sigmask",
            "setitimer",
            "siginterrupt",
            "sigpending",
            "sigwait",
            "SIG_BLOCK",
            "SIG_UNBLOCK",
        ),
    ),
}
NOT_ON_MACOS = {
    "os": (
        *("eventfd", "memfd_create", "pipe2", "posix_fadvise", "sched_getaffinity", "sched_param"),
        *("sched_setaffinity", "sched_setscheduler", "setxattr", "SCHED_FIFO", "SCHED_RR"),
    ),
    "signal": ("SIGPOLL", "SIGPWR", "SIGRTMAX", "SIGRTMIN", "SIGSTKFLT", "sigtimedwait", "sigwaitinfo"),
}
NO_MODULES_ON_WINDOWS = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
LOOKED_FOR_FIRST = {
    "engine/midi/scheduler_thread.py": {"sched_setscheduler", "SCHED_FIFO", "sched_param"},
    "live/commands/jam.py": {"SIGHUP"},
}
"""Names in functions that go without them where the system has none."""

CHECK = """
import importlib, os, signal, sys
absent, forbidden, modules = {absent!r}, {forbidden!r}, {modules!r}
# First as it is here, so that the libraries, which have other files for other systems, are loaded.
for name in modules:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] == "tatumflow"]:
    del sys.modules[name]
sys.modules.update(dict.fromkeys(forbidden))
for owner, names in ((os, absent["os"]), (signal, absent["signal"])):
    for name in names:
        if hasattr(owner, name):
            delattr(owner, name)
for name in modules:
    importlib.import_module(name)
print(len(modules))
"""


def _modules(root: Path, package: str) -> list[str]:
    paths = sorted((root / package).rglob("*.py"))
    names = ("tatumflow." + ".".join(path.relative_to(root).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_imports_without_what_windows_and_macos_lack(root: Path, package: str):
    modules = _modules(root, package)
    absent = {owner: NOT_ON_WINDOWS[owner] + NOT_ON_MACOS[owner] for owner in NOT_ON_WINDOWS}
    code = CHECK.format(absent=absent, forbidden=NO_MODULES_ON_WINDOWS, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(len(modules))


def _uses(path: Path) -> set[str]:
    """Return the names of `os` and `signal`, and the modules, that a file uses and Windows or macOS lacks."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            absent = {*NOT_ON_WINDOWS.get(node.value.id, ()), *NOT_ON_MACOS.get(node.value.id, ())}
            found |= {node.attr} & absent
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & set(NO_MODULES_ON_WINDOWS)
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} & set(NO_MODULES_ON_WINDOWS)
            if node.module in ("os", "signal"):
                found |= {alias.name for alias in node.names} & set(NOT_ON_WINDOWS[node.module])
    return found


def test_what_only_some_systems_have_is_looked_for_first(root: Path):
    files = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    found = {path.relative_to(root).as_posix(): names for path in files if (names := _uses(path))}
    assert found == LOOKED_FOR_FIRST


def test_a_file_that_uses_one_is_found(tmp_path: Path):
    file = tmp_path / "module.py"
    file.write_text("import os, fcntl\nfrom signal import SIGHUP\nos.fork()\nos.getpid()\n", encoding="utf-8")
    assert _uses(file) == {"fcntl", "SIGHUP", "fork"}


@pytest.mark.skipif(sys.platform != "linux", reason="these are names of Linux")
def test_the_names_are_spelled_as_linux_spells_them():
    names = {module: {*NOT_ON_WINDOWS[module], *NOT_ON_MACOS[module]} for module in ("os", "signal")}
    assert not [name for name in names["os"] if not hasattr(os, name)]
    assert not [name for name in names["signal"] if not hasattr(signal, name)]
