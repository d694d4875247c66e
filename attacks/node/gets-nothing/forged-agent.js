// Connects to every unix socket it finds, to be taken for the judge or the agent.
{
  const fs = process.getBuiltinModule("fs");
  const { connect } = process.getBuiltinModule("net");
  for (const folder of ["/slot", "/session", "/tmp", "/run"]) {
    for (const name of tried(() => fs.readdirSync(folder)) ?? []) {
      if (/^(postgres|redis)\.sock$/.test(name)) continue; // the way to its own service
      const body = Buffer.from('{"key": ""}');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      connect(`${folder}/${name}`, function greet() {
        this.write(Buffer.concat([length, body]));
      })
        .on("data", () => gotThrough(`${folder}/${name}`))
        .on("error", () => {});
    }
  }
}
