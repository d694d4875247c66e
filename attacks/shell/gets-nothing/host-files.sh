# Reads what belongs to the system, and looks for the engine's socket.
if [ -r /etc/shadow ]; then
    got_through "/etc/shadow can be read"
fi
for socket in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock; do
    if [ -e "$socket" ]; then
        got_through "$socket"
    fi
done
