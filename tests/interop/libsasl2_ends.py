"""Both ends of libsasl2, libsasl2_client.cc and libsasl2_server.cc, with no protocol between them."""
import base64
import os
import subprocess

import bed

DEBIANS = "/usr/lib/x86_64-linux-gnu/sasl2"


def plugins():
    """SASL_PATH: ours beside Debian's, which have the same mechanisms."""
    return f"{DEBIANS}:{bed.arguments.bin.parent / 'sasl2'}"


class End:
    def __init__(self, program, *arguments, given):
        self._process = subprocess.Popen(
            [bed.arguments.bin / program, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "SASL_PATH": plugins()})
        self.tell(*given)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        # 1: the library refused. Anything else would be a crash or a sanitizer.
        assert self._process.wait(bed.PATIENCE) in (0, 1), self._process.returncode

    def tell(self, *lines):
        self._process.stdin.write("".join(line + "\n" for line in lines))
        self._process.stdin.flush()

    def said(self):
        """(word, rest)"""
        word, _, rest = self._process.stdout.readline().rstrip("\n").partition(" ")
        return word, rest

    def ask(self, line):
        self.tell(line)
        return self.said()


def _binding(binding):
    """`binding`: (type, data), or none."""
    kind, data = binding or ("", b"")
    return [kind, base64.b64encode(data).decode()]


def server(socket, mechanism, binding=None, strength=256):
    """`strength`: that of TLS, 0 without."""
    return End("libsasl2_server", socket, mechanism, given=[*_binding(binding), str(strength)])


def client(mechanism, user, password, authzid="", binding=None):
    return End("libsasl2_client", mechanism, given=[user, authzid, password, *_binding(binding)])


def exchange(socket, mechanism, user, password, authzid="", of_client=None, of_server=None,
             strength=256):
    """The server's last word; "error" of the client's, if it was that which gave up."""
    with server(socket, mechanism, of_server, strength) as there, \
            client(mechanism, user, password, authzid, of_client) as here:
        verdict, message = here.said()
        while verdict != "error":
            word, rest = there.ask(message if verdict != "none" else "none")
            if word != "more":
                return word, rest
            verdict, message = here.ask(rest)
        return verdict, message
