// Preloaded into the program that infrastructure/run-offline.cjs starts. If the CLI ends, even by a kill, the
// program stops as on Ctrl-C and leaves nothing behind.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
