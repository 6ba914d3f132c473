"""One line for each thing that was looked at, and how many of them were right."""
import pathlib
import time
import traceback


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, sentence, function, *arguments):
        """Runs it; what it raises is why the sentence does not hold. True if it does."""
        try:
            told = function(*arguments)
        except Exception as error:  # told, and the next one is looked at
            self.failed += 1
            print(f"FAILED  {sentence}\n{self._why(error)}", flush=True)
            return False
        self.passed += 1
        print(f"ok      {sentence}{': ' + told if isinstance(told, str) else ''}", flush=True)
        return True

    def tell(self, file):
        """The numbers, for who started this program. Without them it did not come to its end."""
        pathlib.Path(file).write_text(f"{self.passed} {self.failed}\n")

    @staticmethod
    def _why(error):
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = str(error) or type(error).__name__
        return "\n".join(f"        {line}" for line in [f"{where.filename}:{where.lineno}", *text.splitlines()])


def same(what, got, wanted):
    assert got == wanted, f"{what}: {got!r}, and it should be {wanted!r}"


def wait_until(what, condition, seconds=120):
    """`seconds` is when to give up on what will never come; nothing is measured."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.2)
