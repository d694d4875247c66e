// Reads the variables and command lines of every process, where the agent's key may stand.
{
  const fs = process.getBuiltinModule("fs");
  const own = Object.keys(process.env).filter((name) => name.startsWith("GRADER_"));
  if (own.length > 0) gotThrough(`its own variables: ${own}`);
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of ["environ", "cmdline", "mem", "maps"]) {
      const text = tried(() => fs.readFileSync(`/proc/${pid}/${file}`, { flag: "r" }).toString("latin1"));
      if (text?.includes("GRADER_KEY") && Number(pid) !== process.pid) gotThrough(`/proc/${pid}/${file}`);
    }
  }
}
