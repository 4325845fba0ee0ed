# SPDX-License-Identifier: ISC
# Run by PlatformIO (library.json): where the library's own files find each other. Not CPPPATH, which programs get too: there is a wire.h
# here, and Wire.h of Arduino is the same name on disks without upper and lower case.
import os

Import("env")  # noqa: F821 (SCons)
root = os.getcwd()
env.Append(CCFLAGS=["-iquote" + os.path.join(root, d) for d in ("svc", "crypto")])  # noqa: F821
