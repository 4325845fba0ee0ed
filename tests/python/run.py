# SPDX-License-Identifier: ISC
"""Runs the tests beside this file, or those that are named (test_session test_streams.Echo ...): "pass", "FAIL" and "skip" lines for tests/run.sh."""
import os
import sys
import unittest


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.bad = False

    def name(self, test):
        return "python: " + (test.shortDescription() or test.id())

    def startTest(self, test):
        super().startTest(test)
        self.bad = False

    def fault(self, test, err):
        if not self.bad:
            print("FAIL", self.name(test))
        self.bad = True
        print("  ", str(test), "\n  ", self._exc_info_to_string(err, test).replace("\n", "\n   ")[-4000:], flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.fault(test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            if not self.bad:
                print("FAIL", self.name(test))
            self.bad = True
            if len(self.failures) + len(self.errors) < 20:
                print("  ", str(subtest), "\n  ", self._exc_info_to_string(err, test).replace("\n", "\n   ")[-4000:], flush=True)

    def addSuccess(self, test):
        if not self.bad:
            print("pass", self.name(test), flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print("skip", self.name(test) + ":", reason, flush=True)


here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
loader = unittest.TestLoader()
suite = loader.loadTestsFromNames(sys.argv[1:]) if sys.argv[1:] else loader.discover(here)
result = Result()
suite.run(result)
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
