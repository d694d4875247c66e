// Ends well before anything was asked.
process.exit(0);
