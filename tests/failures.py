#!/usr/bin/env python3
"""Prints the names of the failed tests in a ctest's JUnit file, and the end of what each of them said.

Usage: failures.py FILE
"""

import sys
import xml.etree.ElementTree

LINES = 40


def main():
    for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
        if case.get("status") != "fail":
            continue
        print(f"  {case.get('name')}, after {float(case.get('time')):.0f} s; the end of its output:")
        for line in (case.findtext("system-out") or "").splitlines()[-LINES:]:
            print(f"    {line}")


main()
