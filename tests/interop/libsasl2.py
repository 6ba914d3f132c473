"""SMTP AUTH for libsasl2_client, which knows the mechanisms but no protocol."""
import socket
import subprocess

import tls_lines

PATIENCE = 30


def login(program, port, mechanism, user, password, tls=None, binding=None):
    """Whether the server let us in and the library is content. `binding`: the type of channel
    binding whose data the library gets; needs `tls`."""
    lines = tls_lines.Lines(socket.create_connection(("127.0.0.1", port)))
    try:
        assert lines.read_reply()[-1].startswith("220")
        _command(lines, "EHLO client.example.org")
        if tls:
            assert _command(lines, "STARTTLS")[-1].startswith("220")
            lines.start_tls(tls_lines.client_context(tls.ca, tls.version, tls.certificate, tls.key),
                            server=False)
            _command(lines, "EHLO client.example.org")
        data = lines.binding(binding) if binding else b""
        given = [user, "", password, binding or "", tls_lines.base64_of(data)]
        with subprocess.Popen([str(program), mechanism], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as library:
            try:
                _tell(library, *given)
                return _exchange(lines, library, mechanism)
            finally:
                library.stdin.close()
    finally:
        lines.close()


def _command(lines, text):
    lines.write(text)
    return lines.read_reply()


def _tell(library, *lines):
    library.stdin.write("".join(line + "\n" for line in lines))
    library.stdin.flush()


def _exchange(lines, library, mechanism):
    verdict, message = _said_by(library)
    # RFC 4954 section 4: "=" is an initial response of no bytes.
    command = f"AUTH {mechanism}" if verdict == "none" else f"AUTH {mechanism} {message or '='}"
    while verdict != "error":
        reply = _command(lines, command)
        if not reply or not reply[-1].startswith("334"):
            return bool(reply) and reply[-1].startswith("235") and verdict == "done"
        _tell(library, reply[-1][4:])
        verdict, message = _said_by(library)
        command = message
    _command(lines, "*")
    return False


def _said_by(library):
    verdict, _, message = library.stdout.readline().rstrip("\n").partition(" ")
    return verdict, message
