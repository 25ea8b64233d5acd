"""A command with a terminal of its own, and who sits at it."""

import os
import pty
import re
import select
import signal
import time


class Terminal:
    """``Terminal(words, {"PIN of": "1234"})``: each question that matches is
    answered once a time it is asked; anything unasked-for stays unsaid."""

    def __init__(self, words, answers=None, env=None, seconds=60):
        self.text = ""
        self.asked = []
        self.answers = answers or {}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(str(words[0]), [str(w) for w in words],
                           env or os.environ)
            finally:
                os._exit(127)
        try:
            self.status = self._talk(time.monotonic() + seconds)
        finally:
            os.close(self.fd)

    def _hear(self):
        """What was said by now; None at the end."""
        if not select.select([self.fd], [], [], 0.5)[0]:
            return ""
        try:
            said = os.read(self.fd, 4096).decode(errors="replace")
        except OSError:  # the terminal hangs up with its last user
            said = ""
        return said or None

    def _talk(self, until):
        heard = 0
        while (said := self._hear()) is not None:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"it does not end: {self.text}")
            self.text += said.replace("\r\n", "\n")
            for question, answer in self.answers.items():
                if re.search(question + r"[^\n]*: $", self.text[heard:]):
                    heard = len(self.text)
                    self.asked.append(self.text.rsplit("\n", 1)[-1])
                    os.write(self.fd, answer.encode() + b"\n")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
