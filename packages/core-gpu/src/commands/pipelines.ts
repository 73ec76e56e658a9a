import { ConvbaseError } from '@convbase/base';
import type { Dispatch } from './plan.ts';
import { shaderInterface, shaderText, type StorageVariable } from './shader.ts';

/** A compiled compute pipeline with what is needed to bind buffers to it. */
export interface Pipeline {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly storage: readonly StorageVariable[];
  readonly hasUniforms: boolean;
}

/** Bytes that every dispatch may use for its uniforms: 64 scalars. */
export const UNIFORM_SLOT_BYTES = 256;

/**
 * Compiles each (shader, constants) pair once and in parallel. A pipeline asked for twice while it is being
 * compiled is compiled once: the map holds the promise.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #inFlight = new Map<string, Promise<Pipeline>>();
  readonly #ready = new Map<string, Pipeline>();
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline if it has been compiled already. */
  ready(dispatch: Dispatch): Pipeline | undefined {
    return this.#ready.get(pipelineKey(dispatch));
  }

  /** Starts compiling, or joins a compilation under way. */
  compile(dispatch: Dispatch): Promise<Pipeline> {
    const key = pipelineKey(dispatch);
    let promise = this.#inFlight.get(key);
    if (!promise) {
      promise = this.#create(dispatch).then((pipeline) => {
        this.#ready.set(key, pipeline);
        return pipeline;
      });
      // A failure is reported to whoever awaits it; this keeps Node from calling it unhandled before that.
      promise.catch(() => undefined);
      this.#inFlight.set(key, promise);
    }
    return promise;
  }

  get size(): number {
    return this.#ready.size;
  }

  async #create(dispatch: Dispatch): Promise<Pipeline> {
    const { storage, uniforms } = shaderInterface(dispatch.shader);
    const entries: GPUBindGroupLayoutEntry[] = storage.map(({ binding, writable }) => ({
      binding,
      visibility: 4, // GPUShaderStage.COMPUTE
      buffer: { type: writable ? 'storage' : 'read-only-storage' },
    }));
    if (uniforms.length > 0) {
      entries.push({
        binding: 0,
        visibility: 4,
        buffer: {
          type: 'uniform',
          hasDynamicOffset: true,
          minBindingSize: Math.ceil(uniforms.length / 4) * 16,
        },
      });
    }
    const label = dispatch.shader;
    const code = shaderText(dispatch.shader, dispatch.constants);
    const module = this.#device.createShaderModule({ label, code });
    const layout = this.#device.createBindGroupLayout({ label, entries });
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label,
        layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
      return { id: this.#nextId++, pipeline, layout, storage, hasUniforms: uniforms.length > 0 };
    } catch (cause) {
      throw new ConvbaseError('shader/compile', await explainFailure(module, code, cause), {
        where: `${dispatch.shader} ${JSON.stringify(dispatch.constants)}`,
        cause,
      });
    }
  }
}

/** Dispatches with the same key run the same machine code. */
export function pipelineKey(dispatch: Dispatch): string {
  let key: string = dispatch.shader;
  for (const [name, value] of Object.entries(dispatch.constants)) key += `|${name}=${String(value)}`;
  return key;
}

async function explainFailure(module: GPUShaderModule, code: string, cause: unknown): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const lines = code.split('\n');
  const errors = messages
    .filter((message) => message.type === 'error')
    .map((m) => `line ${String(m.lineNum)}: ${m.message}\n    ${(lines[m.lineNum - 1] ?? '').trim()}`);
  if (errors.length > 0) return `the shader does not compile\n  ${errors.join('\n  ')}`;
  return `the pipeline cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`;
}
