// Looks for a network that is more than this sandbox's own loopback.
{
  const { connect } = process.getBuiltinModule("net");
  const found = Object.keys(process.getBuiltinModule("os").networkInterfaces());
  if (found.some((name) => name !== "lo")) gotThrough(`interfaces: ${found}`);
  const hosts = ["172.17.0.1", "172.18.0.1", "169.254.169.254", "192.0.2.1", "8.8.8.8"];
  for (const host of hosts) {
    for (const port of [22, 53, 80, 443, 2375, 5432]) {
      connect({ host, port, timeout: 300 })
        .on("connect", () => gotThrough(`${host}:${port}`))
        .on("timeout", function end() {
          this.destroy();
        })
        .on("error", () => {});
    }
  }
  process.getBuiltinModule("dns").lookup("example.com", (error, address) => {
    if (address) gotThrough(`a name: ${address}`);
  });
}
