/** Milliseconds for which a turn of the event loop is held. */
const NAP = 1;
/** Turns that are not held, so that short work is seen to be done at once. */
const FREE_TURNS = 20;

const cell = new Int32Array(new SharedArrayBuffer(4));
/** How many are waiting. */
let waiting = 0;
/** Turns since somebody began to wait while nobody else did, or null while the event loop runs freely. */
let turns: number | null = null;

function turn(): void {
  if (waiting === 0 || turns === null) {
    turns = null;
    return;
  }
  turns++;
  if (turns > FREE_TURNS) Atomics.wait(cell, 0, 0, NAP);
  setImmediate(turn);
}

/**
 * The result of work on a software adapter, awaited without taking processor time from it.
 *
 * Dawn's binding asks the device at every turn of Node's event loop whether it is done, without a pause: a core's worth
 * of questions, while a software adapter computes on those cores. So as long as something is being waited for, each turn
 * is held for a moment. What else goes on in the program goes on, a thousand turns a second.
 */
export async function awaitSoftware<T>(work: Promise<T>): Promise<T> {
  waiting++;
  if (waiting === 1) {
    if (turns === null) setImmediate(turn);
    turns = 0;
  }
  try {
    return await work;
  } finally {
    waiting--;
  }
}
