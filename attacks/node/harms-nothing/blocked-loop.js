// Never lets go of its only thread, and takes no signal that can be taken.
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, () => {});
for (;;);
