# Looks for a network that is more than this sandbox's own loopback.
if grep -qv -e lo: -e '|' /proc/net/dev; then
    got_through "another interface: $(cat /proc/net/dev)"
fi
if (exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null; then
    got_through "a connection to the outside"
fi
