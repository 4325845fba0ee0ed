# SPDX-License-Identifier: ISC
# The extension module that svconn_build.py describes
from typing import Any

ffi: Any
lib: Any
