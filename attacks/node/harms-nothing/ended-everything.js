// Kills every process that it may, the agent's too.
process.kill(-1, "SIGKILL");
