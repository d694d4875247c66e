// Leaves a process behind, in a session of its own, that writes and listens for the next one.
{
  const script = `
    for (const name of ["SIGHUP", "SIGINT", "SIGTERM"]) process.on(name, () => {});
    require("net").createServer().listen(8000, "127.0.0.1").on("error", () => {});
    setInterval(() => {
      for (const place of [".", "/tmp", "/dev/shm", "/slot"]) {
        require("fs").writeFile(place + "/left-behind", "", () => {});
      }
    }, 10);`;
  process
    .getBuiltinModule("child_process")
    .spawn(process.execPath, ["-e", script], { detached: true, stdio: "ignore" })
    .on("error", () => {})
    .unref();
}
