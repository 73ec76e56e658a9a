import type { ProfileEvent } from '@convbase/core-gpu';

/** One entry of a Chrome trace; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** A Chrome trace as JSON.stringify takes it. */
export interface ChromeTrace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly TraceEvent[];
}

const LAYERS = 1;
const KERNELS = 2;

/**
 * Events as a trace that chrome://tracing and ui.perfetto.dev open: one row of layers, one of kernels below it.
 * Format: "Trace Event Format" of the Chromium project, complete events.
 */
export function chromeTrace(events: readonly ProfileEvent[], adapter: string): ChromeTrace {
  const start = Math.min(...events.map((event) => event.start));
  const microseconds = (nanoseconds: number): number => nanoseconds / 1000;
  const kernels = events.map((event): TraceEvent => {
    const { kernel, variant, shader, layer, phase, flops, nanoseconds } = event;
    return {
      name: kernel,
      cat: phase,
      ph: 'X',
      pid: 1,
      tid: KERNELS,
      ts: microseconds(event.start - start),
      dur: microseconds(nanoseconds),
      args: { variant, shader, layer, phase, GFLOPs: flops / nanoseconds },
    };
  });
  const layers = runsOfLayers(events).map(([first, last]): TraceEvent => ({
    name: first.layer || 'other',
    cat: first.phase,
    ph: 'X',
    pid: 1,
    tid: LAYERS,
    ts: microseconds(first.start - start),
    dur: microseconds(last.start + last.nanoseconds - first.start),
    args: { phase: first.phase },
  }));
  const named = (name: string, tid: number, value: string): TraceEvent => ({
    name,
    ph: 'M',
    pid: 1,
    tid,
    args: { name: value },
  });
  return {
    displayTimeUnit: 'ms',
    traceEvents: [
      named('process_name', 0, adapter),
      named('thread_name', LAYERS, 'layers'),
      named('thread_name', KERNELS, 'kernels'),
      ...layers,
      ...kernels,
    ],
  };
}

/** First and last event of each stretch that belongs to one layer and phase. */
function runsOfLayers(events: readonly ProfileEvent[]): [ProfileEvent, ProfileEvent][] {
  const runs: [ProfileEvent, ProfileEvent][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0].layer === event.layer && run[0].phase === event.phase) run[1] = event;
    else runs.push([event, event]);
  }
  return runs;
}
