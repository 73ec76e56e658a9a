import { visibleLine } from '@convbase/base';
import type { ModelProfile } from './profile-model.ts';
import { sumOfAll, type KernelSum, type LayerSum } from './sums.ts';

/** Characters of a terminal's line. */
const WIDTH = 80;

/**
 * A profile as text of 80 columns: what ran, the layers in their order (or only the `top` dearest), the kernels.
 */
export function profileText(profile: ModelProfile, top?: number): string {
  const { adapter, model, train, batchSize, inputShape, runs, events, layers, kernels } = profile;
  const all = sumOfAll(events);
  const software = adapter.kind === 'software' ? ' (software: the CPU)' : '';
  const what = train ? `one training step, ${profile.trainableWeights} weights trained` : 'forward';
  const shown =
    top === undefined || top >= layers.length
      ? layers
      : [...layers].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, top);
  const left = layers.length - shown.length;
  return [
    `${visibleLine(model)}, ${what}, batch ${batchSize} of ${inputShape.join('x')}`,
    visibleLine(`${adapter.name}${software}`).slice(0, WIDTH),
    ...(profile.precision === 'mixed' ? ['mixed precision: float16 between layers'] : []),
    `${duration(all.milliseconds)} ms of GPU time in ${all.calls} dispatches, ${runs === 1 ? 'one run' : `the middle one of ${runs} runs`}`,
    `${(all.flops / 1e9).toFixed(1)} GFLOP, ${rate(all.flops, all.milliseconds)} GFLOP/s; ${duration(profile.wallMilliseconds)} ms from start to result`,
    '',
    ...(train ? trainingLayers(shown) : forwardLayers(shown)),
    ...(left > 0 ? [`and ${left} more layers`] : []),
    '',
    ...kernelLines(kernels),
  ].join('\n');
}

function forwardLayers(layers: readonly LayerSum[]): string[] {
  const head = ['layer'.padEnd(27), 'ms'.padStart(9), 'share'.padStart(8), 'GFLOP/s'.padStart(9), '  kernel'];
  return [
    head.join(''),
    ...layers.map(({ layer, milliseconds, share, flops, kernels }) =>
      [
        cut(layer, 27),
        duration(milliseconds).padStart(9),
        percent(share).padStart(8),
        rate(flops, milliseconds).padStart(9),
        `  ${cut(kernels[0] ?? '', 25)}`,
      ]
        .join('')
        .trimEnd(),
    ),
  ];
}

function trainingLayers(layers: readonly LayerSum[]): string[] {
  const head = [
    'layer'.padEnd(27),
    'forward ms'.padStart(12),
    'backward ms'.padStart(13),
    'update ms'.padStart(11),
    'share'.padStart(8),
    'GFLOP/s'.padStart(9),
  ];
  return [
    head.join(''),
    ...layers.map((row) =>
      [
        cut(row.layer, 27),
        orNothing(row.forwardMilliseconds).padStart(12),
        orNothing(row.backwardMilliseconds).padStart(13),
        orNothing(row.updateMilliseconds).padStart(11),
        percent(row.share).padStart(8),
        rate(row.flops, row.milliseconds).padStart(9),
      ].join(''),
    ),
  ];
}

function kernelLines(kernels: readonly KernelSum[]): string[] {
  const head = [
    'kernel, variant'.padEnd(36),
    'calls'.padStart(6),
    'ms'.padStart(10),
    'share'.padStart(8),
    'GFLOP/s'.padStart(10),
    'GB/s'.padStart(9),
  ];
  return [
    head.join(''),
    ...kernels.map(({ kernel, variant, calls, milliseconds, share, flops, bytes }) =>
      [
        cut(`${kernel}, ${variant}`, 36),
        String(calls).padStart(6),
        duration(milliseconds).padStart(10),
        percent(share).padStart(8),
        rate(flops, milliseconds).padStart(10),
        rate(bytes, milliseconds).padStart(9),
      ].join(''),
    ),
  ];
}

/** Milliseconds with as many digits as mean something. */
function duration(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 10 ? 3 : milliseconds < 100 ? 2 : 1);
}

function orNothing(milliseconds: number): string {
  return milliseconds > 0 ? duration(milliseconds) : '';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** So many billions a second. */
function rate(amount: number, milliseconds: number): string {
  return milliseconds > 0 && amount > 0 ? (amount / milliseconds / 1e6).toFixed(1) : '-';
}

/** Text of exactly `width` characters with a space behind it. */
function cut(name: string, width: number): string {
  const text = visibleLine(name);
  return (text.length < width ? text : `${text.slice(0, width - 2)}…`).padEnd(width);
}
