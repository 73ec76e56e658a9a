import { FORMAT, type Results, type Row } from '../results/schema.ts';

/** A row of a contender that did well, with what is given in its place. */
export function row(changes: Partial<Row> = {}): Row {
  return {
    case: 'forward/vgg16/150/4',
    title: 'VGG16 forward, 150x150, batch 4',
    group: 'forward',
    contender: 'convbase',
    label: 'convbase',
    pictures: 4,
    medianMs: 1000,
    p95Ms: 1100,
    minMs: 950,
    maxMs: 1150,
    cpuMs: 1900,
    runs: 5,
    ratioToTfjsWebgpu: 8,
    limitMs: 400,
    shareOfLimit: 0.4,
    correct: true,
    difference: 1e-6,
    reference: 'tfjs webgpu',
    adapter: 'llvmpipe',
    adapterKind: 'software',
    peakResidentMiB: 700,
    peakGpuMiB: 300,
    ...changes,
  };
}

/** A row of one that failed. */
export function failed(error: string, changes: Partial<Row> = {}): Row {
  const nothing = { medianMs: null, p95Ms: null, minMs: null, maxMs: null, cpuMs: null };
  return row({
    ...nothing,
    runs: 0,
    ratioToTfjsWebgpu: null,
    shareOfLimit: null,
    correct: null,
    error,
    ...changes,
  });
}

export function results(rows: readonly Row[]): Results {
  return {
    format: FORMAT,
    date: '2026-01-02T03:04:05.000Z',
    set: 'quick',
    versions: { convbase: '0.1.0' },
    machine: { system: 'linux', processor: 'some processor', cores: 2, memoryGiB: 16 },
    adapter: {
      name: 'llvmpipe',
      kind: 'software',
      features: ['subgroups'],
      limits: { maxBufferSize: 1024 },
      roofline: { gigaflops: 80, gigabytes: 2 },
    },
    toggles: {},
    tolerances: { features: 1e-3 },
    missing: [{ contender: 'tfjs cpu', why: 'it is not installed' }],
    rows: [...rows],
    figures: [],
  };
}
