// Loaded before the program that infrastructure/run-offline.cjs starts: however the CLI ends, by a
// kill too, the program stops as on Ctrl-C and leaves nothing behind.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
