import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** An open device, as the end of the process sees it. */
export interface Held {
  /** Ends it at once, and holds the program up until its threads are done with what they were given. */
  destroy(): void;
  /** Ends it as soon as they are. */
  close(): Promise<void>;
}

const held = new Set<Held>();
/** Devices that have been destroyed since the last collection. */
let destroyed = 0;
/** So many may wait for the next one, each with two of Dawn's threads and some MB of memory. */
const MAY_WAIT = 4;

/**
 * Keeps a device from being collected until the returned function is called, and ends it before the process does.
 *
 * Whatever ends a Node program in order (its last line, `process.exit()`, an error that nobody caught) runs C's `exit`,
 * and that destroys the tables of Dawn, SPIRV-Tools and LLVM. A thread that still compiles or computes with them then
 * crashes the process. Destroying a device waits for its threads. A signal that nobody listens to needs none of this: it
 * ends the process without running anything.
 */
export function hold(device: Held): () => void {
  if (held.size === 0) process.on('exit', destroyAll);
  held.add(device);
  return () => {
    if (!held.delete(device)) return;
    if (held.size === 0) process.off('exit', destroyAll);
    destroyed += 1;
    // Not before whoever destroyed it has let go of it.
    if (destroyed === MAY_WAIT) setImmediate(collect);
  };
}

function destroyAll(): void {
  for (const device of held) device.destroy();
}

/**
 * Closes every `Gpu` that is open in this thread. When this has resolved, nothing works on one any more, and the process
 * may end. For whoever cannot wait as long as a GPU may take: what holds the process up is then `process.exit()` itself.
 */
export async function closeAllGpus(): Promise<void> {
  while (held.size > 0) await Promise.all(Array.from(held, (device) => device.close()));
}

let collectGarbage: (() => void) | undefined;

/**
 * Has Node collect what is no longer used. Dawn ends a device's threads when the device is collected, and for that V8
 * alone may wait long: a few small objects are all it sees of one.
 */
function collect(): void {
  destroyed = 0;
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  collectGarbage();
}
