// Writes what is no frame to the agent: no length, an enormous one, and one that never ends.
{
  const fs = process.getBuiltinModule("fs");
  for (const bytes of [[255, 255, 255, 255], [0, 0, 0, 4, 110, 117, 108, 108], [1, 0, 0, 0, 123]]) {
    tried(() => fs.writeSync(3, Buffer.from(bytes)));
  }
}
