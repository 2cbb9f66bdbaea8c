# SPDX-License-Identifier: MIT
"""Every test that tests/COMPLAINTS.md names is there."""
import re
import sys
import unittest

from lib import ROOT

TESTS = ROOT / "tests"
sys.path.append(str(TESTS / "faults"))
import matrix  # noqa: E402


class Complaints(unittest.TestCase):
    def test_every_test_exists(self):
        faults = {row[0] for row in matrix.FAULTS}
        for cell in re.findall(r"`((?:unit/|integration/|faults:|soak)[^`]*)`",
                               (TESTS / "COMPLAINTS.md").read_text()):
            with self.subTest(test=cell):
                self.assertTrue(self.exists(cell, faults))

    @staticmethod
    def exists(cell, faults):
        where, _, name = cell.partition(": ")
        if where == "soak":
            return (TESTS / "soak").exists()
        if where == "faults":
            return name in faults
        if where.startswith("unit/"):
            text = (TESTS / f"{where}.c").read_text()
            return re.search(rf"cmocka_unit_test\w*\({name}\b", text) is not None
        return f"def {name}(" in (TESTS / f"{where}.py").read_text()


if __name__ == "__main__":
    unittest.main()
