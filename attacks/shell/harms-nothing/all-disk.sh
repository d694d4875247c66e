# Fills every place that it can write to.
for place in . /tmp /dev/shm; do
    cat /dev/zero >"$place/left-behind" 2>/dev/null
done
