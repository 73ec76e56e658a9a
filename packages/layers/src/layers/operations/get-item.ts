import { channelsAt } from '../../ops/channels.ts';
import { identity, reshape } from '../../ops/reshape.ts';
import { dimensionAt, formatShape, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CallContext } from '../context.ts';
import type { LayerConfig } from '../layer.ts';
import { Operation } from './operation.ts';

/** Python's `start:stop:step`. */
export interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

export interface GetItemConfig extends LayerConfig {
  /** What stands in the brackets: `['...', 2]` for `x[..., 2]`. */
  readonly key: readonly ('...' | number | Slice)[];
}

/** `x[..., 2]` or `x[..., ::-1]`: some channels of a tensor, or one of them without its axis. */
export class GetItem extends Operation {
  readonly key: readonly ('...' | number | Slice)[];

  constructor(config: GetItemConfig) {
    super('GetItem', config);
    this.key = config.key;
    const before = config.key.slice(0, -1);
    if (!before.every((part) => part === '...' || isEverything(part)) || config.key.at(-1) === '...') {
      this.fail(
        'layer/unsupported',
        'only the last axis can be indexed or cut',
        'Use x[..., 2] or x[..., ::-1].',
      );
    }
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    const shape = this.singleShape(inputs);
    const channels = dimensionAt(shape, -1);
    const hasEllipsis = this.key.includes('...');
    if (
      channels === null ||
      (hasEllipsis ? this.key.length > shape.length + 1 : this.key.length !== shape.length)
    ) {
      this.fail('layer/unsupported', `takes its channels from ${formatShape(shape)}, which is not possible`);
    }
    const indices = this.#indices(channels);
    const head = shape.slice(0, -1);
    return [typeof this.key.at(-1) === 'number' ? head : [...head, indices.length]];
  }

  call(inputs: readonly Tensor[], { tape }: CallContext): readonly Tensor[] {
    const [x] = inputs;
    if (x === undefined) this.fail('layer/inputs', 'takes one tensor, not none');
    const channels = x.shape.at(-1) ?? 1;
    const indices = this.#indices(channels);
    if (indices.length === channels && indices.every((index, i) => index === i)) {
      if (typeof this.key.at(-1) !== 'number') return [identity(x, tape)];
    }
    const picked = channelsAt(x, indices, tape);
    if (typeof this.key.at(-1) !== 'number') return [picked];
    const y = reshape(picked, x.shape.slice(0, -1), tape);
    picked.dispose();
    return [y];
  }

  /** Which of so many channels are taken, by Python's rules. */
  #indices(channels: number): readonly number[] {
    const last = this.key.at(-1);
    if (typeof last === 'number') {
      const index = last < 0 ? last + channels : last;
      if (index < 0 || index >= channels)
        this.fail('layer/shape', `there is no channel ${last} of ${channels}`);
      return [index];
    }
    const { start, stop, step: given } = typeof last === 'object' ? last : everything;
    const step = given ?? 1;
    if (step === 0) this.fail('layer/option', 'a slice cannot have the step 0');
    const [low, high] = step > 0 ? [0, channels] : [-1, channels - 1];
    const within = (value: number | null, missing: number): number =>
      value === null ? missing : Math.min(Math.max(value < 0 ? value + channels : value, low), high);
    const [from, to] = [within(start, step > 0 ? low : high), within(stop, step > 0 ? high : low)];
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (count === 0) this.fail('layer/shape', `none of ${channels} channels are left`);
    return Array.from({ length: count }, (_, i) => from + i * step);
  }
}

const everything: Slice = { start: null, stop: null, step: null };

function isEverything(part: number | Slice): boolean {
  return typeof part === 'object' && part.start === null && part.stop === null && (part.step ?? 1) === 1;
}
