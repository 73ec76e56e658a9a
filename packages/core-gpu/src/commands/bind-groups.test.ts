import { setFlagsFromString } from 'node:v8';
import { setImmediate } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { GpuBuffer } from '../memory/buffer.ts';
import { BindGroupCache, type BoundVariable } from './bind-groups.ts';
import type { Pipeline } from './pipelines.ts';
import type { Dispatch } from './plan.ts';

const LIMIT = 3;
const pipeline = { layoutId: 1, hasUniforms: false } as Pipeline;
const bound = [{ variable: { binding: 1 }, name: 'x', slice: null }] as unknown as BoundVariable[];

/** A cache of at most `LIMIT` groups, asked for the group of a dispatch with the buffer of a number. */
function cacheOfFew() {
  const device = { createBindGroup: () => ({}) } as unknown as GPUDevice;
  const cache = new BindGroupCache(device, {} as GPUBuffer, LIMIT);
  const get = (dispatch: Dispatch, id: number): GPUBindGroup =>
    cache.get(pipeline, dispatch, bound, { x: { id, size: 16, capacity: 16 } as unknown as GpuBuffer });
  return { cache, get };
}

const dispatch = (): Dispatch => ({ shader: 'some' }) as unknown as Dispatch;

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  await setImmediate(); // what a WeakRef has been asked for lives until then
  (runInNewContext('gc') as () => void)();
}

it('finds the group of a dispatch again, and shares it between those that bind the same', () => {
  const { cache, get } = cacheOfFew();
  const one = dispatch();
  const group = get(one, 1);
  expect(get(one, 1)).toBe(group);
  expect(get(dispatch(), 1)).toBe(group);
  expect(get(one, 2)).not.toBe(group);
  expect(cache.made).toBe(2);
});

it('makes the groups of a destroyed buffer anew, and no others', () => {
  const { cache, get } = cacheOfFew();
  const one = dispatch();
  const groups = [get(one, 1), get(one, 2)];
  cache.forget(1);
  expect(get(one, 2)).toBe(groups[1]);
  expect(get(one, 1)).not.toBe(groups[0]);
  expect(cache.made).toBe(3);
});

it('holds none that it has dropped, though their dispatches are kept', async () => {
  const { cache, get } = cacheOfFew();
  const kept = [dispatch(), dispatch()] as const;
  const dropped = Array.from({ length: LIMIT }, (_, i) => new WeakRef(get(kept[i === 0 ? 0 : 1], i)));
  await collectGarbage();
  for (const [i, group] of dropped.entries()) expect(group.deref(), `group ${i}`).toBeDefined();

  get(kept[1], LIMIT); // one too many: starts over
  await collectGarbage();
  for (const [i, group] of dropped.entries()) expect(group.deref(), `group ${i}`).toBeUndefined();
  get(kept[1], 1);
  expect(cache.made).toBe(LIMIT + 2);
  expect(kept).toHaveLength(2);
});
