// Takes every thread that it may have.
{
  const { Worker } = process.getBuiltinModule("worker_threads");
  for (let number = 0; number < 300; number += 1) {
    tried(() => new Worker("for (;;);", { eval: true }).on("error", () => {}));
  }
}
