# Appended to the reference after an attack that may leave something: it breaks when it meets it.
for left in *left-behind* /tmp/*left-behind* /dev/shm/*left-behind* /slot/*left-behind*; do
    if [ -e "$left" ]; then
        echo "something was left behind: $left" >&2
        exit 99
    fi
done
