// Appended to the reference after an attack that may leave something: it breaks when it meets it.
{
  const fs = process.getBuiltinModule("fs");
  const left = [];
  for (const place of [".", "/tmp", "/dev/shm", "/slot"]) {
    if (!fs.existsSync(place)) continue;
    left.push(...fs.readdirSync(place).filter((name) => name.includes("left-behind")));
  }
  const taken = process.getBuiltinModule("net").connect(8000, "127.0.0.1");
  taken.on("connect", () => {
    throw new Error("somebody listens on port 8000");
  });
  taken.on("error", () => {});
  if (left.length > 0) throw new Error(`something was left behind: ${left.slice(0, 5)}`);
}
