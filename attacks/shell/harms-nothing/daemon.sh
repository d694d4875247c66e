# Leaves a process behind, in a session of its own, that writes for the next one to find.
trap '' HUP INT TERM
setsid sh -c '
    trap "" HUP INT TERM
    while :; do
        for place in . /tmp /dev/shm /slot; do
            : >"$place/left-behind"
        done
    done
' >/dev/null 2>&1 &
