// Fills every place that it can write to.
{
  const fs = process.getBuiltinModule("fs");
  const much = Buffer.alloc(1 << 20);
  for (const place of [".", "/tmp", "/dev/shm", "/slot"]) {
    for (let number = 0; number < 300; number += 1) {
      tried(() => fs.appendFileSync(`${place}/left-behind${number % 8}`, much));
    }
  }
}
