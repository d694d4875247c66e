# Tries to become somebody else, and to write where it should not.
if [ "$(id -u)" = 0 ]; then
    got_through "it runs as root"
fi
for place in /usr/bin /etc /usr/lib/python3/dist-packages; do
    if touch "$place/left-behind" 2>/dev/null; then
        got_through "$place can be written"
    fi
done
for program in $(find /usr -perm -4000 2>/dev/null); do
    if [ "$("$program" root -c 'id -u' </dev/null 2>/dev/null)" = 0 ]; then
        got_through "$program gives root"
    fi
done
