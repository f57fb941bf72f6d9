import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Narrator } from './demo/narrator.ts';
import { SCENE_SETTINGS, SCENES, type Scene, type Stage } from './demo/scenes.ts';
import { Shop } from './demo/shop.ts';
import { summarise } from './demo/summary.ts';
import { type EmbeddedStack, startEmbeddedStack } from './stack/embedded-stack.ts';
import { printProgress, runToExit } from './terminal.ts';

const directory = fileURLToPath(new URL('..', import.meta.url));
const logFile = join(directory, '.local', 'demo.log');

/**
 * Plays all scenes, even if some of them fail.
 * @returns the number of expectations that were not met.
 */
async function play(stack: EmbeddedStack, stopping: AbortSignal): Promise<number> {
  const narrator = new Narrator();
  const shop = new Shop(stack.apiUrl, stack.companionUrl, stopping);
  const stage: Stage = {
    shop,
    narrator,
    letPass: (seconds) => stack.clock.advance(seconds * 1000),
  };
  const played = [];
  for (const [index, scene] of SCENES.entries()) {
    stopping.throwIfAborted();
    narrator.heading(`${String(index + 1)}. ${scene.title}`);
    played.push({ scene, orderId: await playScene(stage, scene, stopping) });
  }
  narrator.heading('Promised and seen');
  await summarise(shop, narrator, played);
  const { checks, failures } = narrator;
  const all = String(checks);
  console.log(
    failures === 0
      ? `\nAll of it happened as promised: ${all} of ${all} checks.`
      : `\n${String(failures)} of ${all} checks did not hold. The log: ${relative('.', logFile)}`,
  );
  return failures;
}

async function playScene(
  stage: Stage,
  scene: Scene,
  stopping: AbortSignal,
): Promise<string | undefined> {
  try {
    return await scene.play(stage, scene.customer);
  } catch (error) {
    stopping.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    stage.narrator.verdict(false, '', `the scene to go on, but ${message}`);
    return undefined;
  }
}

/** @returns the exit code, after everything has stopped. */
async function demonstrate(stopping: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log('Starting ordersaga on this machine, beside whatever else runs here.\n');
  const stack = await startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    environment: SCENE_SETTINGS,
    logFile,
    onProgress: printProgress,
  });
  try {
    console.log(`\nReady after ${seconds()} s. All that follows goes over HTTP.`);
    return (await play(stack, stopping)) === 0 ? 0 : 1;
  } finally {
    await stack.stop();
    console.log(`Everything is stopped, after ${seconds()} s.`);
  }
}

await runToExit(demonstrate);
