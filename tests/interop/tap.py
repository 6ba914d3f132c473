"""A relay before a mail server that notes how each AUTH ended: what no client prints the same way."""
import socket
import threading

PATIENCE = 30


class Attempts:
    """The AUTH commands that a server saw, and the code that ended each."""

    def __init__(self):
        self._lock = threading.Lock()
        self._list = []

    def add(self, mechanism, code):
        with self._lock:
            self._list.append((mechanism.upper(), code))

    def take(self):
        """Those since the last call."""
        with self._lock:
            taken, self._list = self._list, []
        return taken


class Tap:
    """Listens on `port` of this machine, and relays to `server_port` without TLS."""

    def __init__(self, server_port):
        self.attempts = Attempts()
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        # Wakes accept(); close() alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        server = socket.create_connection(("127.0.0.1", self._server_port), PATIENCE)
        client.settimeout(PATIENCE)
        session = _Session(self.attempts)
        answers = threading.Thread(target=_pump, args=(server, client, session.server_said),
                                   daemon=True)
        answers.start()
        _pump(client, server, session.client_said)
        answers.join()
        client.close()
        server.close()


def _pump(source, sink, look):
    """Lines from one to the other until either has enough. Looked at before they are passed on."""
    try:
        with source.makefile("rb") as lines:
            for line in lines:
                look(line)
                sink.sendall(line)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other thread notices


class _Session:
    """Which AUTH is under way. SMTP is in lock-step here, so that the two threads take turns."""

    def __init__(self, attempts):
        self._attempts = attempts
        self._mechanism = None

    def client_said(self, line):
        words = line.decode("ascii", "replace").split()
        if self._mechanism is None and len(words) > 1 and words[0].upper() == "AUTH":
            self._mechanism = words[1]

    def server_said(self, line):
        if self._mechanism is not None and line[:3] != b"334":
            self._attempts.add(self._mechanism, int(line[:3]))
            self._mechanism = None
