# SPDX-License-Identifier: Apache-2.0
"""How things end that do not end well."""


class Fault(Exception):
    """What failed, the value that was given, and what would be accepted."""

    status = 2


class Usage(Fault):
    """What was asked for makes no sense; nothing was opened or written."""


class Refusal(Fault):
    """A check came out negative: the answer is no."""

    status = 1


class Interrupted(BaseException):
    """A signal; like KeyboardInterrupt no Exception, so nothing swallows it."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number
