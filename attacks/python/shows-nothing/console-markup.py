"""Prints what a library that draws on terminals takes for colours and links."""

TEXT = "[bold green]Passed[/] [link=http://x]x[/link] :rocket: [red]{score} %s %(x)s $HOME"


def fail(*args, **kwargs):
    raise ValueError(TEXT)


everywhere(fail)
