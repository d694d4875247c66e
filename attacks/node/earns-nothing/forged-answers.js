// Sends well-formed answers on the agent's own channel, for calls to come.
{
  const fs = process.getBuiltinModule("fs");
  for (let number = 1; number < 200; number += 1) {
    for (const text of [`{"id":${number},"value":true}`, `{"id":${number},"value":{"$":"handle","v":0}}`]) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      tried(() => fs.writeSync(3, Buffer.concat([length, Buffer.from(text)])));
    }
  }
}
