// Tries to become somebody else, and to write where it should not.
{
  const fs = process.getBuiltinModule("fs");
  if (process.getuid() === 0 || process.geteuid() === 0) gotThrough("it runs as root");
  for (const user of [0, "root", 10010]) {
    if (tried(() => process.setuid(user) ?? true)) gotThrough(`it became ${user}`);
  }
  for (const place of ["/usr/bin", "/etc", "/node_modules/express", "/usr/lib/grader"]) {
    if (tried(() => fs.writeFileSync(`${place}/left-behind`, "") ?? true)) gotThrough(place);
  }
  if (tried(() => process.setegid(0) ?? true)) gotThrough("the group root");
}
