"""The matrix of clients and mechanisms, and the one of servers: scenarios write cells and rows,
`matrix.py FOLDER` prints the tables.

A cell is one client with one mechanism over one kind of connection. It is green if the right password
was taken and the wrong one refused, by what the server answered and by what the client says of
itself. A row is a server with a mechanism: see outcomes.py. The exit status is 1 if a cell that the
client supports is not green, a row is not complete, or a file is missing.
"""
import json
import pathlib
import sys

from outcomes import CASES, row_file

SCENARIOS = "postfix", "tls"
SERVERS = {
    "Postfix, type dovecot": ("PLAIN", "LOGIN", "SCRAM-SHA-256"),
    "Postfix, type cyrus": ("PLAIN",),
    "Postfix, cyrus plug-in": ("PLAIN", "LOGIN", "SCRAM-SHA-256"),
    "OpenLDAP, SASL bind": ("SCRAM-SHA-256",),
    "Dovecot imapd": ("PLAIN", "SCRAM-SHA-256"),
    "Dovecot pop3d": ("PLAIN", "SCRAM-SHA-256"),
    "Dovecot submissiond": ("PLAIN", "LOGIN"),
    "Dovecot managesieved": ("PLAIN",),
    "Exim": ("PLAIN", "LOGIN", "SCRAM-SHA-256"),
    "Exim, saslauthd": ("PLAIN", "LOGIN"),
    "chasquid": ("PLAIN",),
    "Prosody": ("PLAIN", "SCRAM-SHA-256"),
    "nginx SMTP": ("PLAIN",),
    "nginx IMAP": ("PLAIN",),
    "nginx POP3": ("PLAIN",),
    "testsaslauthd": ("PLAIN",),
}
HASHES = "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA3-512"
PASSWORDS = "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"
BLOCKS = (  # title, columns: heading and mechanism
    ("", [(name, name) for name in (*PASSWORDS, "EXTERNAL", "ANONYMOUS")]),
    ("SCRAM", [(name, f"SCRAM-{name}") for name in HASHES]),
    ("SCRAM with channel binding", [(f"{name}+", f"SCRAM-{name}-PLUS") for name in HASHES]),
)


class Matrix:
    """The cells of one scenario, kept in `folder` from the first on."""

    def __init__(self, folder, scenario):
        assert scenario in SCENARIOS
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"matrix-{scenario}.json"
        self._cells = []
        self._write()

    def unsupported(self, client, via, mechanism):
        self._add(client, via, mechanism, None, None)

    def supported(self, client, via, mechanism, expected):
        """A cell that is not green until `got` is called with what was expected."""
        cell = self._add(client, via, mechanism, expected, None)

        def got(value):
            cell["got"] = value
            self._write()

        return got

    def _add(self, client, via, mechanism, expected, got):
        cell = {"client": client.name, "known from": client.known_from, "via": via,
                "mechanism": mechanism, "supported": expected is not None, "expected": expected,
                "got": got}
        self._cells.append(cell)
        self._write()
        return cell

    def _write(self):
        self._file.write_text(json.dumps(self._cells, indent=1, default=list))


def green(cell):
    return cell["got"] is not None and cell["got"] == cell["expected"]


def shown(cells):
    """What stands in the table for all cells of one place."""
    supported = [cell for cell in cells if cell["supported"]]
    if not supported:
        return "-" if cells else ""
    return "yes" if all(map(green, supported)) else "FAILED"


def print_block(cells, title, columns):
    mechanisms = [mechanism for _, mechanism in columns]
    cells = [cell for cell in cells if cell["mechanism"] in mechanisms]
    if not cells:
        return
    rows = list(dict.fromkeys((cell["client"], cell["via"]) for cell in cells))
    label = max(len("  ".join(row)) for row in rows) + 2
    widths = [max(len(heading), 6) + 2 for heading, _ in columns]
    print()
    print(title.ljust(label) + "".join(heading.ljust(width)
                                       for (heading, _), width in zip(columns, widths)).rstrip())
    for row in rows:
        here = [cell for cell in cells if (cell["client"], cell["via"]) == row]
        texts = [shown([cell for cell in here if cell["mechanism"] == mechanism])
                 for mechanism in mechanisms]
        print("  ".join(row).ljust(label) +
              "".join(text.ljust(width) for text, width in zip(texts, widths)).rstrip())


def main(folder):
    cells, missing = [], []
    for scenario in SCENARIOS:
        file = folder / f"matrix-{scenario}.json"
        if file.exists():
            cells += json.loads(file.read_text())
        else:
            missing.append(file)
    if cells:
        for title, columns in BLOCKS:
            print_block(cells, title, columns)
        print("\nyes: the right password was taken, the wrong one refused. -: not in the client, known from")
        for client, source in dict.fromkeys((cell["client"], cell["known from"]) for cell in cells):
            print(f"  {client}: {source}")
    bad = [cell for cell in cells if cell["supported"] and not green(cell)]
    for cell in bad:
        print(f"NOT GREEN: {cell['client']} {cell['mechanism']} via {cell['via']}: "
              f"expected {cell['expected']}, got {cell['got']}")
    for file in missing:
        print(f"MISSING: {file}, which a scenario writes")
    count = sum(cell["supported"] for cell in cells)
    print(f"{count} cells, {count - len(bad)} green")
    complete = print_servers(folder)
    return 0 if count and not bad and not missing and complete else 1


def print_servers(folder):
    """Whether every row is there and complete."""
    rows = [(server, mechanism) for server, mechanisms in SERVERS.items() for mechanism in mechanisms]
    print(f"\n{'server'.ljust(24)}{'mechanism'.ljust(16)}" + "".join(case.ljust(11) for case in CASES))
    complete = 0
    for server, mechanism in rows:
        file = row_file(folder, server, mechanism)
        done = json.loads(file.read_text())["done"] if file.exists() else []
        print(server.ljust(24) + mechanism.ljust(16) +
              "".join(("yes" if case in done else "MISSING").ljust(11) for case in CASES).rstrip())
        complete += set(done) == set(CASES)
    print("yes: what the server's client heard is what it should have, right and wrong password, no such user, a "
          "disabled one,\n     sasld away (\"try again later\", never \"wrong password\"), sasld back.")
    print(f"{len(rows)} rows, {complete} complete")
    return complete == len(rows)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
