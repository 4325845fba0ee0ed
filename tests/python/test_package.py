# SPDX-License-Identifier: ISC
"""The sdist and the wheel in $SVCONN_DIST, and the package that is installed from them."""
import glob
import os
import subprocess
import tarfile
import unittest
import zipfile

import svconn
import svconn._core
from lab import ROOT

DIST = os.environ.get("SVCONN_DIST")


@unittest.skipUnless(DIST, "SVCONN_DIST is not set")
class Package(unittest.TestCase):
    def one(self, pattern):
        found = glob.glob(os.path.join(DIST, pattern))
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_sdist(self):
        """the sdist has what it needs to build alone, and of C only the core"""
        with tarfile.open(self.one("*.tar.gz")) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        wanted = {"csrc/svconn.c", "csrc/svconn.h", "csrc/LICENSE", "svconn_build.py", "setup.py", "pyproject.toml", "README.md"}
        self.assertEqual(wanted - names, set())
        self.assertEqual({n for n in names if n.endswith((".c", ".h"))}, {"csrc/svconn.c", "csrc/svconn.h"})

    def test_wheel(self):
        """the wheel is for every CPython from 3.9 on, and has the types, the license and no source in C"""
        path = self.one("*.whl")
        self.assertIn("-cp39-abi3-", path)
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        self.assertTrue({"svconn/py.typed", "svconn/_core.pyi", "svconn/_core.abi3.so"} <= names, names)
        self.assertTrue(any(name.endswith("dist-info/LICENSE") for name in names), names)
        self.assertFalse([name for name in names if name.endswith((".c", ".h"))])

    def test_version(self):
        """the version is that of the C library, everywhere"""
        from importlib.metadata import version

        with open(os.path.join(ROOT, "svc", "svconn.h"), encoding="utf-8") as header:
            wanted = f'#define SVCONN_VERSION "{svconn.__version__}"'
            self.assertIn(wanted, header.read())
        self.assertEqual(version("svconn"), svconn.__version__)

    def test_exports(self):
        """the extension module gives out its entry and nothing else"""
        out = subprocess.run(["nm", "-D", "--defined-only", svconn._core.__file__], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split()[-1] for line in out.splitlines()], ["PyInit__core"])

    def test_installed(self):
        """what is tested is what is installed, not the source tree"""
        self.assertNotIn("bindings", svconn.__file__)
        self.assertIn("site-packages", svconn.__file__)
