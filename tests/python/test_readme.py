# SPDX-License-Identifier: ISC
"""The examples of bindings/python/README.md, as they stand there but for the ports. SVCONN_EXAMPLES: they are left in that directory."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from lab import PROGRAM, ROOT

with open(os.path.join(ROOT, "bindings", "python", "README.md"), encoding="utf-8") as readme:
    BLOCKS = dict(re.findall(r"^<!-- ([\w.]+) -->\n```\w+\n(.*?)^```$", readme.read(), re.M | re.S))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Readme(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.ports = {"7001": str(free_port()), "7002": str(free_port())}
        for name, text in BLOCKS.items():
            for old, new in self.ports.items():
                text = text.replace(old, new)
            with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        keep = os.environ.get("SVCONN_EXAMPLES")
        if keep:
            shutil.copytree(self.directory, keep, dirs_exist_ok=True)

    def start(self, *command):
        child = subprocess.Popen(command, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (child.kill(), child.communicate()))
        return child

    def run_here(self, *command):
        path = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=30, env={**os.environ, "PATH": path})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def wait_for(self, port):
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", int(port)), 5).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
        self.fail("nobody listens")

    def test_streams(self):
        """README: keys, server.py and client.py"""
        self.run_here("sh", "-euc", BLOCKS["keys"])
        self.start(sys.executable, "server.py")
        self.wait_for(self.ports["7001"])
        self.assertEqual(self.run_here(sys.executable, "client.py"), "HELLO\n")

    def test_messages(self):
        """README: messages.py against svconn echo-server"""
        self.run_here("svconn", "keygen", "--psk", "-o", "shared.psk")
        self.start(PROGRAM, "echo-server", "tcp://127.0.0.1:" + self.ports["7002"], "--psk", "shared.psk", "--name", "server")
        self.wait_for(self.ports["7002"])
        self.assertEqual(self.run_here(sys.executable, "messages.py"), "'one'\n''\n'three'\n")

    def test_session(self):
        """README: session.py"""
        self.assertEqual(self.run_here(sys.executable, "session.py"), "b'hello'\nNone True\nsize\ntruncated\n")

    def test_names(self):
        """README: names that it mentions exist"""
        import svconn

        with open(os.path.join(ROOT, "bindings", "python", "README.md"), encoding="utf-8") as file:
            text = re.sub(r"^```.*?^```$", "", file.read(), flags=re.M | re.S)
        for name in re.findall(r"`(?:svconn\.)?((?:[A-Z][a-z]\w+|open_|start_|wrap_)\w*)(?:[.(`])", text):
            known = [svconn, __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)]
            self.assertTrue(hasattr(svconn, name) or name in known[1] or name in ("StreamReader", "StreamWriter"), name)
