"""Answers with an object that runs code in whoever unpickles it."""

import os


class Payload:
    def __reduce__(self):
        return (os._exit, (0,))


everywhere(lambda *args, **kwargs: Payload())
