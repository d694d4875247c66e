"""Answers with an object that is unequal to nothing."""

class Liar:
    def __ne__(self, other):
        return False

    __hash__ = None


everywhere(lambda *args, **kwargs: Liar())
