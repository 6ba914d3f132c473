"""The manual pages have every command and option that the programs print as their help, and no other."""
import re
import unittest

import programs
from programs import run


def long_options(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


class Help:
    """What a program, or a command of it, prints for --help."""

    def __init__(self, program, *command):
        done = run(program, *command, "--help")
        assert done.returncode == 0, done.stderr
        self.text = done.stdout
        # "  -o,--output FORMAT …"; an option's description may name others.
        self.options = long_options(" ".join(re.findall(r"^  (?:-\w,)?--[a-z-]+", self.text, re.M)))
        _, _, below = self.text.partition("\nSubcommands:\n")
        self.commands = re.findall(r"^  ([\w-]+)", below, re.M)
        # "Usage: saslctl user add [OPTIONS] NAME" without the program and the options.
        usage = re.search(r"^Usage: \S+ ?(.*)$", self.text, re.M).group(1)
        self.usage = " ".join(usage.replace("[OPTIONS]", "").split())


class Page:
    """A manual page, as the lines of its sections and subsections."""

    def __init__(self, name):
        source = (programs.CHECKOUT / "deploy/man" / name).read_text()
        self.parts = {}
        for line in source.replace("\\-", "-").splitlines():
            heading = re.match(r"\.S[HS] (.*)", line)
            if heading:
                lines = self.parts[heading.group(1)] = []
            elif not line.startswith(".TH"):
                lines.append(line)

    def tags(self, part):
        """What its list explains: the lines after .TP."""
        lines = self.parts[part]
        return [after for line, after in zip(lines, lines[1:]) if line == ".TP"]

    def options(self, part):
        return long_options(" ".join(self.tags(part)))


class Servers(unittest.TestCase):
    def test_pages_have_the_options(self):
        for program in "sasld", "sasld-adapter":
            with self.subTest(program):
                options = Help(program).options
                self.assertIn("--config", options)
                self.assertEqual(Page(f"{program}.8").options("OPTIONS"), options)

    def test_pages_have_the_commands(self):
        for program, commands in (("sasld", ["health"]), ("sasld-adapter", ["check", "health"])):
            page = Page(f"{program}.8")
            self.assertEqual(Help(program).commands, commands)
            for command in commands:
                with self.subTest(program, command=command):
                    told = Help(program, command)
                    self.assertEqual(page.options(told.usage), told.options - {"--help"})

    def test_pages_have_the_default_of_config(self):
        for program, path in (("sasld", "/etc/sasld/sasld.toml"),
                              ("sasld-adapter", "/etc/sasld/adapter.toml")):
            with self.subTest(program):
                self.assertIn(f"--config FILE={path}", Help(program).text)
                self.assertIn(f".IR {path} .", Page(f"{program}.8").parts["OPTIONS"])


class Saslctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = Page("saslctl.1")
        cls.help = Help("saslctl")
        cls.commands = {}  # usage to help, of all that can be run
        pending = [()]
        while pending:
            command = pending.pop()
            told = Help("saslctl", *command)
            pending += [(*command, one) for one in told.commands]
            if not told.commands:
                cls.commands[told.usage] = told

    def test_page_has_the_options(self):
        self.assertIn("--server", self.help.options)
        self.assertEqual(self.page.options("OPTIONS"), self.help.options)

    def test_page_has_the_commands(self):
        self.assertIn("user add NAME", self.commands)
        headings = {part for part in self.page.parts if re.match("[a-z]", part)}
        self.assertEqual(headings, set(self.commands))

    def test_page_has_the_options_of_each_command(self):
        for usage, told in self.commands.items():
            with self.subTest(usage):
                self.assertEqual(self.page.options(usage), told.options - {"--help"})

    def test_page_has_the_exit_statuses(self):
        told = re.search(r"Exit status: (.*)", self.help.text).group(1)
        statuses = re.findall(r"\b(\d) ", told)
        self.assertEqual(len(statuses), 8)
        self.assertEqual(self.page.tags("EXIT STATUS"), statuses)

    def test_page_has_the_environment(self):
        self.assertIn("Env:SASLCTL_SERVER", self.help.text)
        self.assertIn(".B SASLCTL_SERVER", self.page.tags("ENVIRONMENT"))


if __name__ == "__main__":
    programs.main()
