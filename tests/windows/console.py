# SPDX-License-Identifier: ISC
"""A person at the console: console.py ANSWERS COMMAND...  runs it at a pseudo terminal, of which wine makes a console. Each
question (it ends with a colon and a blank) gets the next of the answers, which "|" divides; "^C" is typed as soon as it
listens, or shows something. What is seen goes to standard output; the exit status is that of the command."""
import os, pty, re, select, sys, time

answers = sys.argv[1].split("|")
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, new, end = b"", b"", time.time() + 80
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        seen, new = seen + got, new + got
        continue
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", new).rstrip()
    if answers and (re.search(rb"(listening|relaying) on|client *<-+>", text) if answers[0] == "^C" else text.endswith(b":")):
        os.write(fd, b"\x03" if answers[0] == "^C" else answers[0].encode() + b"\r")
        answers.pop(0)
        new = b""
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen))
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 99)
