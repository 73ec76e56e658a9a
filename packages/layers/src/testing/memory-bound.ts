import type { Gpu, GpuBuffer } from '@convbase/core-gpu';

interface Lifetime {
  readonly bytes: number;
  first: number;
  last: number;
}

/**
 * Watches what is recorded until the returned function is called, which tells the most bytes that one kernel or copy finds
 * in use: no way of placing buffers in memory can do with less. Buffers that were there before do not count.
 */
export function watchMemory(gpu: Gpu): () => number {
  const lifetimes = new Map<GpuBuffer, Lifetime>();
  const live = new Set<GpuBuffer>();
  const scratch: Lifetime[] = [];
  let time = 0;
  const made = (buffer: GpuBuffer, bytes: number): GpuBuffer => {
    lifetimes.set(buffer, { bytes, first: Infinity, last: -1 });
    live.add(buffer);
    return buffer;
  };
  const use = (buffer: GpuBuffer | null): void => {
    const lifetime = buffer === null ? undefined : lifetimes.get(buffer);
    if (lifetime === undefined) return;
    lifetime.first = Math.min(lifetime.first, time);
    lifetime.last = time;
  };
  const createBuffer = gpu.createBuffer.bind(gpu);
  const createFilled = gpu.createFilled.bind(gpu);
  const run = gpu.run.bind(gpu);
  const copy = gpu.copy.bind(gpu);
  const releaseBuffer = gpu.releaseBuffer.bind(gpu);
  const watched = {
    createBuffer: (...args: Parameters<Gpu['createBuffer']>) => made(createBuffer(...args), args[0]),
    createFilled: (...args: Parameters<Gpu['createFilled']>) =>
      made(createFilled(...args), args[0].byteLength),
    run: (...[plan, buffers]: Parameters<Gpu['run']>) => {
      time += 1;
      Object.values(buffers).forEach(use);
      for (const bytes of Object.values(plan.temporaries)) scratch.push({ bytes, first: time, last: time });
      run(plan, buffers);
    },
    copy: (...args: Parameters<Gpu['copy']>) => {
      time += 1;
      use(args[0]);
      use(args[1]);
      copy(...args);
    },
    releaseBuffer: (buffer: GpuBuffer) => {
      live.delete(buffer);
      releaseBuffer(buffer);
    },
  };
  Object.assign(gpu, watched);
  return () => {
    for (const name of Object.keys(watched)) Reflect.deleteProperty(gpu, name);
    for (const buffer of live) use(buffer);
    const all = [...lifetimes.values(), ...scratch];
    const at = (now: number): number =>
      all.reduce((sum, { bytes, first, last }) => sum + (first <= now && now <= last ? bytes : 0), 0);
    return Math.max(...Array.from({ length: time + 1 }, (_, now) => at(now)));
  };
}
