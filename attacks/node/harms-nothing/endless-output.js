// Prints without end, to both streams.
{
  const fs = process.getBuiltinModule("fs");
  const much = "x".repeat(1 << 20);
  for (;;) {
    tried(() => fs.writeSync(1, much));
    tried(() => fs.writeSync(2, much));
  }
}
