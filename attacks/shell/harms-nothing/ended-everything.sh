# Kills every process that it may, the agent's too.
kill -KILL -1
