"""Listening sockets that stay while the adapters that serve them come and go, as those of systemd's units do."""
import os
import socket
import subprocess

import bed

# Passes listening sockets as systemd does: from 3 on, and only to the process of that number.
ACTIVATE = """
count=$1 next=3; shift
for ((i = 0; i < count; ++i)); do eval "exec $((100 + i))<&$1 $1<&-"; shift; done
for ((i = 0; i < count; ++i)); do eval "exec $((next + i))<&$((100 + i)) $((100 + i))<&-"; done
export LISTEN_PID=$$ LISTEN_FDS=$count
exec "$@"
"""


class HeldSockets:
    def __init__(self, the_bed):
        self._bed = the_bed
        self._held = []

    def hold(self, path, mode=0o666):
        """Listens there, in the place of what a bed's adapter may have left."""
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, mode)
        listener.listen(128)
        self._held.append(listener)

    def start_adapter(self):
        """The bed's. Who connects before it serves waits."""
        numbers = [listener.fileno() for listener in self._held]
        command = ["bash", "-c", ACTIVATE, "activate", str(len(numbers)), *map(str, numbers),
                   bed.arguments.bin / "sasld-adapter", "--config", self._bed.adapter_toml]
        with open(self._bed.logs / "adapter.log", "ab") as log:
            self._bed.adapter = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                 start_new_session=True, pass_fds=numbers)

    def close(self):
        for listener in self._held:
            listener.close()
