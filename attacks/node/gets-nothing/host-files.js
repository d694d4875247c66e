// Reads what belongs to the system, and looks for the engine's socket.
{
  const fs = process.getBuiltinModule("fs");
  for (const path of ["/etc/shadow", "/root/.ssh", "/proc/1/root/etc/shadow", "/dev/mem"]) {
    if (tried(() => fs.readdirSync(path)) ?? tried(() => fs.readFileSync(path))) gotThrough(path);
  }
  for (const path of ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock"]) {
    if (fs.existsSync(path)) gotThrough(path);
  }
}
