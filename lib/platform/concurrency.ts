/** Lets at most `limit` pieces of work run at the same time; the others wait in line. */
export function atMost(limit: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < limit) running += 1;
    else {
      await new Promise<void>((takePlace) => {
        waiting.push(takePlace);
      });
    }
    try {
      return await work();
    } finally {
      // Hands the place to the next in line, so that no newcomer gets in before it.
      const takePlace = waiting.shift();
      if (takePlace === undefined) running -= 1;
      else takePlace();
    }
  };
}
