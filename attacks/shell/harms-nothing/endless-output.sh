# Prints without end, to both streams.
yes "to stderr" >&2 &
yes "to stdout"
