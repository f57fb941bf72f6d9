/**
 * Behaviour of AWS that an emulator is known to lack: the tests it concerns, by their names, and
 * what the emulator does instead. Remove an entry to see whether a newer version has caught up.
 */
const knownGaps: Readonly<Record<string, readonly (readonly [tests: RegExp, gap: string])[]>> = {
  // Version 1.5.33.
  ministack: [
    [/is InvalidName$/, 'accepts every name'],
    [/is InvalidDefinition$/, 'does not validate definitions'],
    [/is InvalidExecutionInput$|over 256 KiB/, 'accepts any text as input'],
    [/is InvalidOutput/, 'accepts any text as output'],
    [/is InvalidArn$/, 'does not validate ARNs'],
    [/^deleting an unknown state machine/, 'StateMachineDoesNotExist'],
    [/^an unknown state machine has no list/, 'lists nothing'],
    [/^repeated while it runs, with the same input/, 'ExecutionAlreadyExists'],
    [/^stopping a closed execution/, 'ValidationException'],
    [/longer than TimeoutSeconds|execution that timed out/, 'ignores the machine’s time-out'],
    [/^events tell the whole run/, 'gives no previousEventId'],
    [/^the history of a|^Map runs|slower than TimeoutSeconds/, 'records fewer types of events'],
    [
      /a token answered (before|after)|task that timed out is/,
      'forgets closed tokens: TaskDoesNotExist',
    ],
    [/^of many signals at once/, 'accepts signals until the task has noticed one'],
    [/a made-up token/, 'TaskDoesNotExist'],
    [/token of a stopped execution/, 'a stopped execution’s token stays open'],
    [/^every retry has a token/, 'all attempts of a task share one token'],
    [/^a task without heartbeats/, 'ignores HeartbeatSeconds'],
    [/^a function that throws fails the task/, 'goes on waiting for the token'],
    [
      /^an error in one branch of a Parallel|^a branch that fails closes/,
      'waits for the other branches',
    ],
    [/^lambda:invoke answers/, 'leaves out ExecutedVersion'],
    [
      /^an uncaught error|^a task that fails and is|^exhausted|no retrier names|by its name, Error/,
      'every thrown error is named Runtime.HandlerError',
    ],
  ],
};

/** What `emulator` is known to do instead of what the test of this name expects. */
export function knownGap(emulator: string, test: string): string | undefined {
  return knownGaps[emulator]?.find(([tests]) => tests.test(test))?.[1];
}
