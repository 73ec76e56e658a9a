import { ConvbaseError, visibleLine } from '@convbase/base';
import type { Network } from '../training/network.ts';

export type MonitorMode = 'auto' | 'min' | 'max';

export interface MonitorConfig {
  /** The key in the logs; `'val_loss'` when left out. */
  readonly monitor?: string;
  /** Whether smaller or larger is better; `'auto'`, when left out, decides by the name. */
  readonly mode?: MonitorMode;
  /** Smaller changes are none; 0 when left out. */
  readonly minDelta?: number;
}

/** Watches one number for improvements: Keras' `MonitorCallback`. */
export class Monitor {
  readonly key: string;
  readonly #mode: MonitorMode;
  readonly #minDelta: number;
  #warned = false;

  constructor({ monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorConfig) {
    this.key = monitor;
    this.#mode = mode;
    this.#minDelta = Math.abs(minDelta);
  }

  /**
   * Whether a value is better than the reference, which everything is when there is none. Compared in float32, as
   * Keras does. Throws `callback/monitor` where `'auto'` cannot know what is better.
   */
  improves(value: number, reference: number | null, network: Network): boolean {
    const lower = this.#lowerIsBetter(network);
    if (reference === null) return true;
    return lower
      ? Math.fround(value + this.#minDelta) < Math.fround(reference)
      : Math.fround(value - this.#minDelta) > Math.fround(reference);
  }

  /**
   * The number to watch. Where there is none, `print` is told so, once; but a name of which `'auto'` knows nothing, which
   * may be a slip, is `callback/monitor`, as in Keras.
   */
  read(
    who: string,
    logs: Readonly<Record<string, number>>,
    network: Network,
    print: (line: string) => void = (line) => {
      console.warn(visibleLine(line));
    },
  ): number | undefined {
    this.#lowerIsBetter(network);
    const value = logs[this.key];
    if (value === undefined && !this.#warned) {
      this.#warned = true;
      print(`${who} looks at ${this.key}, but there is only ${Object.keys(logs).join(', ')}.`);
    }
    return value;
  }

  #lowerIsBetter({ compiled }: Network): boolean {
    if (this.#mode !== 'auto') return this.#mode === 'min';
    const name = this.key.replace(/^val_/, '');
    if (name === 'loss') return true;
    const metric = compiled.metrics.find((candidate) => candidate.name === name);
    if (metric !== undefined && metric.direction !== 'unknown') return metric.direction === 'down';
    throw new ConvbaseError('callback/monitor', `whether a high ${this.key} is good is not known`, {
      fix: `Set mode to 'max' or 'min', or monitor ${known(compiled.metrics.map((each) => each.name))}.`,
    });
  }
}

function known(names: readonly string[]): string {
  return ['loss', ...names].flatMap((name) => [name, `val_${name}`]).join(', ');
}
