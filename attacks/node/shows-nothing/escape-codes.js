// Prints and throws what steers a terminal, a pipeline or a web page.
{
  const signs = ["\x1b[2J\x1b[H", "\x1b]0;title\x07", "\r", "\u202e", "\u200b", "\u2028", "\x9b2J"];
  const lines = [
    ...signs.map((sign) => `${sign} passed`),
    "::error file=a.js::passed",
    "##[error]passed",
    "##vso[task.complete result=Succeeded]",
    "<script>alert(1)</script>",
    "[red]passed[/red]",
  ];
  process.getBuiltinModule("fs").writeSync(2, `\n${lines.join("\n")}\n`);
  setTimeout(() => {
    throw Object.assign(new Error(lines.join("\n")), { name: lines[0], stack: lines.join("\n") });
  }, 500);
}
