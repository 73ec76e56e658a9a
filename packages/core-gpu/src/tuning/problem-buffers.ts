import type { Gpu } from '../device/gpu.ts';
import type { GpuBuffer } from '../memory/buffer.ts';
import type { ProblemShape } from './table.ts';
import type { CandidatePlans, Tunable } from './tunable.ts';

/** The buffers of one problem on a GPU: inputs filled, output to be overwritten. */
export class ProblemBuffers {
  readonly #gpu: Gpu;
  readonly #named: Readonly<Record<string, GpuBuffer | null>>;
  readonly #output: { readonly buffer: GpuBuffer; readonly length: number };

  constructor(
    gpu: Gpu,
    tunable: Tunable,
    shape: ProblemShape,
    inputs: Readonly<Record<string, Float32Array>>,
  ) {
    this.#gpu = gpu;
    const named: Record<string, GpuBuffer | null> = {};
    for (const name of tunable.unused ?? []) named[name] = null;
    for (const [name, values] of Object.entries(inputs)) {
      const buffer = gpu.createBuffer(values.byteLength, `tuning ${name}`);
      gpu.write(buffer, values);
      named[name] = buffer;
    }
    const { name, length } = tunable.output(shape);
    const buffer = gpu.createBuffer(4 * length, `tuning ${name}`);
    named[name] = buffer;
    this.#named = named;
    this.#output = { buffer, length };
  }

  /** Overwrites the output with NaN, so that an element nobody writes shows. */
  spoil(): void {
    this.#gpu.write(this.#output.buffer, new Float32Array(this.#output.length).fill(NaN));
  }

  async output(): Promise<Float32Array> {
    return new Float32Array(await this.#gpu.read(this.#output.buffer));
  }

  /** Buffers that a candidate keeps from call to call, filled. */
  keep({ kept = {}, once }: CandidatePlans): KeptBuffers {
    const buffers: Record<string, GpuBuffer> = {};
    for (const [name, bytes] of Object.entries(kept)) {
      buffers[name] = this.#gpu.createBuffer(bytes, `tuning ${name}`);
    }
    if (once) this.#gpu.run(once, { ...this.#named, ...buffers });
    return {
      run: (plans) => {
        this.#gpu.run(plans.each, { ...this.#named, ...buffers });
      },
      release: () => {
        for (const buffer of Object.values(buffers)) this.#gpu.releaseBuffer(buffer);
      },
    };
  }

  release(): void {
    for (const buffer of Object.values(this.#named)) if (buffer) this.#gpu.releaseBuffer(buffer);
  }
}

export interface KeptBuffers {
  readonly run: (plans: CandidatePlans) => void;
  readonly release: () => void;
}
