"""What every mail server has to make of sasld's answers, and the rows of the table of servers."""
import json
import re

import bed

CASES = "right", "wrong", "unknown", "disabled", "temporary", "back"


def row_file(folder, server, mechanism):
    name = re.sub(r"[^a-z0-9]+", "-", f"{server} {mechanism}".lower())
    return folder / f"server-{name}.json"


def _write(server, mechanism, done):
    folder = bed.arguments.bin.parent / "interop"
    folder.mkdir(parents=True, exist_ok=True)
    row_file(folder, server, mechanism).write_text(
        json.dumps({"server": server, "mechanism": mechanism, "done": done}))


def go_through(row, the_bed, answer, user, password, right, wrong, temporary):
    """`answer(user, password)` is what one login got; the others are what it must be: right, wrong,
    unknown, disabled, sasld away, and back again. `row`: the server and the mechanism, one of
    matrix.py's SERVERS."""
    done = []

    def expect(case, outcome, name, given):
        got = answer(name, given)
        assert got == outcome, f"{row}, {case}: {got!r} is not {outcome!r}"
        if case not in done:
            done.append(case)
        _write(*row, done)
    _write(*row, done)
    wrong_password = the_bed.secret()
    expect("right", right, user, password)
    expect("wrong", wrong, user, wrong_password)
    expect("unknown", wrong, "nobody@example.org", password)
    the_bed.must("user", "disable", user)
    expect("disabled", wrong, user, password)
    the_bed.must("user", "enable", user)
    expect("right", right, user, password)
    the_bed.stop_sasld()
    expect("temporary", temporary, user, password)
    expect("temporary", temporary, user, wrong_password)
    the_bed.start_sasld()
    bed.wait_until("sasld is back", lambda: answer(user, password) == right)
    expect("back", right, user, password)
