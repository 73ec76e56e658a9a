import type { Phase, ProfileEvent } from '@convbase/core-gpu';

/** GPU time of several dispatches together. */
export interface ProfileSum {
  /** Dispatches. */
  readonly calls: number;
  readonly milliseconds: number;
  /** Part of the time of all, 0 to 1. */
  readonly share: number;
  readonly flops: number;
  /** Bytes that have to be read and written at least once. */
  readonly bytes: number;
}

/** A layer's time; layers stand in the order in which they first ran. */
export interface LayerSum extends ProfileSum {
  /** Its name, or `input`, `loss`, `metrics`, `optimizer`; `other` for what belongs to none of them. */
  readonly layer: string;
  readonly forwardMilliseconds: number;
  readonly backwardMilliseconds: number;
  readonly updateMilliseconds: number;
  /** The kernels that took part, the dearest first. */
  readonly kernels: readonly string[];
}

/** A kernel's time, the dearest first. */
export interface KernelSum extends ProfileSum {
  readonly kernel: string;
  readonly variant: string;
}

/** Sums events by layer. */
export function sumByLayer(events: readonly ProfileEvent[]): LayerSum[] {
  const total = nanosecondsOf(events);
  return groupBy(events, ({ layer }) => layer || 'other').map(([layer, group]) => ({
    layer,
    ...sum(group, total),
    forwardMilliseconds: inPhase(group, 'forward'),
    backwardMilliseconds: inPhase(group, 'backward'),
    updateMilliseconds: inPhase(group, 'update'),
    kernels: sumByKernel(group).map(({ kernel, variant }) => `${kernel}, ${variant}`),
  }));
}

/** Sums events by kernel and variant. */
export function sumByKernel(events: readonly ProfileEvent[]): KernelSum[] {
  const total = nanosecondsOf(events);
  return groupBy(events, ({ kernel, variant }) => `${kernel}, ${variant}`)
    .flatMap(([, group]) => {
      const [first] = group;
      if (first === undefined) return [];
      return [{ kernel: first.kernel, variant: first.variant, ...sum(group, total) }];
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Sums all events. */
export function sumOfAll(events: readonly ProfileEvent[]): ProfileSum {
  return sum(events, nanosecondsOf(events));
}

function sum(events: readonly ProfileEvent[], total: number): ProfileSum {
  const nanoseconds = nanosecondsOf(events);
  return {
    calls: events.length,
    milliseconds: nanoseconds / 1e6,
    share: total > 0 ? nanoseconds / total : 0,
    flops: events.reduce((all, { flops }) => all + flops, 0),
    bytes: events.reduce((all, { bytes }) => all + bytes, 0),
  };
}

function inPhase(events: readonly ProfileEvent[], phase: Phase): number {
  return nanosecondsOf(events.filter((event) => event.phase === phase)) / 1e6;
}

function nanosecondsOf(events: readonly ProfileEvent[]): number {
  return events.reduce((all, { nanoseconds }) => all + nanoseconds, 0);
}

function groupBy(
  events: readonly ProfileEvent[],
  keyOf: (event: ProfileEvent) => string,
): [string, ProfileEvent[]][] {
  const groups = new Map<string, ProfileEvent[]>();
  for (const event of events) {
    const group = groups.get(keyOf(event));
    if (group === undefined) groups.set(keyOf(event), [event]);
    else group.push(event);
  }
  return [...groups];
}
