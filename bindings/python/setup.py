# SPDX-License-Identifier: ISC
"""What pyproject.toml cannot say: the C library in one file, its version, and the extension module."""
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import setup

here = Path(__file__).resolve().parent
tree = here.parent.parent

# In the repository the one file is made of the sources; in an sdist (which has a PKG-INFO) it is there.
if not (here / "PKG-INFO").exists():
    subprocess.run(["sh", str(tree / "packaging/amalgamation/make.sh"), str(here / "csrc")], check=True)
    shutil.copy(tree / "LICENSE", here / "csrc")

found = re.search(r'^#define SVCONN_VERSION "(.+?)"', (here / "csrc/svconn.h").read_text(encoding="utf-8"), re.M)
assert found, "csrc/svconn.h has no SVCONN_VERSION"

setup(
    version=found[1],
    cffi_modules=["svconn_build.py:ffi"],
    options={"bdist_wheel": {"py_limited_api": "cp39"}},  # one wheel for every CPython from 3.9 on
)
