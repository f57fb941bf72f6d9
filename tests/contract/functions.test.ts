import { expect, test } from 'vitest';
import { deployedFunctions, functionFiles, load } from './deployment.ts';

test('every function in infrastructure/functions.yml has its file, and every file its function', () => {
  expect(functionFiles()).toEqual([...deployedFunctions().values()].sort());
});

test.each([...deployedFunctions()])(
  '%s can be loaded without an environment',
  async (_name, file) => {
    expect(await load(file)).toHaveProperty('handler', expect.any(Function));
  },
);
