"""Becomes a server that dies with the process which started it; run as a script, never imported.

Arguments: parent pid, uid, gid (empty = keep), signal number, then the command. It runs before any account is dropped,
so that an interpreter below an unreachable folder works, and replaces itself by the command. The kernel sends the
signal when the *thread* that started us ends. Linux only; elsewhere the next start stops what was left.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, uid: str, gid: str, signal_number: int, command: list[str]) -> None:
    os.umask(0o077)
    os.chdir("/")
    if uid:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # After setuid, which clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it died while we prepared, so no signal will come
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
