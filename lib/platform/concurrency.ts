/**
 * Lets at most `limit` pieces of work run at the same time; the others wait in line. A piece that
 * fails makes room like any other.
 */
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
      // A place is handed on, not given up: nobody who comes just now gets in before the line.
      const takePlace = waiting.shift();
      if (takePlace === undefined) running -= 1;
      else takePlace();
    }
  };
}
