# SPDX-License-Identifier: ISC
"""interrupt.py COMMAND...  runs it with a console for input alone (a pseudo terminal, of which wine makes one), and types
Ctrl-C there for a SIGTERM or SIGINT that comes here: wine would end the program, and not tell it."""
import os, pty, signal, sys, threading

output = [os.dup(1), os.dup(2)]
pid, fd = pty.fork()
if pid == 0:
    for n in 0, 1:
        os.dup2(output[n], n + 1)
        os.close(output[n])
    os.execvp(sys.argv[1], sys.argv[1:])


def empty_terminal():
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass


threading.Thread(target=empty_terminal, daemon=True).start()
for number in signal.SIGTERM, signal.SIGINT:
    signal.signal(number, lambda *_: os.write(fd, b"\x03"))
nowhere = os.open(os.devnull, os.O_RDWR)
for n in output + [1, 2]:  # who reads what the command says is to see its end
    os.dup2(nowhere, n)
_, status = os.waitpid(pid, 0)
os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 99)
