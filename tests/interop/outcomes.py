"""What every mail server has to make of sasld's answers."""
import bed


def go_through(the_bed, answer, user, password, right, wrong, temporary):
    """`answer(user, password)` is what one login got; the others are what it must be: right, wrong,
    unknown, disabled, sasld away, and back again."""
    def expect(outcome, name, given):
        got = answer(name, given)
        assert got == outcome, f"{got!r} is not {outcome!r}"
    wrong_password = the_bed.secret()
    expect(right, user, password)
    expect(wrong, user, wrong_password)
    expect(wrong, "nobody@example.org", password)
    the_bed.must("user", "disable", user)
    expect(wrong, user, password)
    the_bed.must("user", "enable", user)
    expect(right, user, password)
    the_bed.stop_sasld()
    expect(temporary, user, password)
    expect(temporary, user, wrong_password)
    the_bed.start_sasld()
    bed.wait_until("sasld is back", lambda: answer(user, password) == right)
