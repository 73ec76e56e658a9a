import { ConvbaseError } from '@convbase/base';
import type { GpuBuffer } from '../memory/buffer.ts';
import type { Binding, Dispatch, Plan } from './plan.ts';
import { shaderInterface } from './shader.ts';

/** For each plan its specialisations for float16 buffers, by the names of these, so that a cached plan is specialised once. */
const specialised = new WeakMap<Plan, Map<string, Plan>>();

/**
 * The same plan for buffers of which some hold float16 numbers.
 *
 * Plans are made for float32. Float16 changes neither the arithmetic nor the grid nor an offset counted in numbers: only
 * the storage types of the shaders, and slices of buffers, which have half the bytes (offsets too, which is why plans
 * keep to twice the alignment that WebGPU asks for). Scratch buffers stay float32.
 *
 * @throws ConvbaseError `precision/unsupported` for a shader that knows the buffer as float32 only
 */
export function withFloat16(plan: Plan, buffers: Readonly<Record<string, GpuBuffer>>): Plan {
  let key = '';
  for (const [name, { float16 }] of Object.entries(buffers)) if (float16) key += `${name},`;
  if (key === '') return plan;
  let specialisations = specialised.get(plan);
  if (specialisations === undefined) specialised.set(plan, (specialisations = new Map<string, Plan>()));
  let specialisation = specialisations.get(key);
  if (specialisation === undefined) {
    const { float16 } = plan;
    const source = float16?.factors.every((name) => buffers[name]?.float16) ? float16.plan : plan;
    const halves = Object.entries(buffers).filter(([, { float16 }]) => float16);
    specialisation = {
      ...source,
      dispatches: source.dispatches.map((dispatch) =>
        specialise(dispatch, new Set(halves.map(([name]) => name))),
      ),
      bytes: Math.max(
        0,
        halves.reduce((sum, [, { size }]) => sum - size, source.bytes),
      ),
    };
    specialisations.set(key, specialisation);
  }
  return specialisation;
}

function specialise(dispatch: Dispatch, halves: ReadonlySet<string>): Dispatch {
  const isHalf = (binding: Binding | undefined): boolean =>
    binding !== undefined && halves.has(typeof binding === 'string' ? binding : binding.buffer);
  const { storage } = shaderInterface(dispatch.shader);
  const float16 = new Set<string>();
  for (const { name, type } of storage) {
    if (!isHalf(dispatch.bindings[name])) continue;
    if (type === null) fail(dispatch, `'${name}' holds float32 numbers there, not float16`);
    float16.add(type);
  }
  for (const { name, type } of storage) {
    if (type === null || !float16.has(type) || isHalf(dispatch.bindings[name])) continue;
    fail(dispatch, `'${name}' is float32, what goes with it float16`);
  }
  const bindings = Object.entries(dispatch.bindings).map(([name, binding]) => [
    name,
    isHalf(binding) ? halved(binding) : binding,
  ]);
  return {
    ...dispatch,
    constants: {
      ...dispatch.constants,
      ...Object.fromEntries([...float16].map((type) => [type, 'f16' as const])),
    },
    bindings: Object.fromEntries(bindings) as Dispatch['bindings'],
  };
}

function halved(binding: Binding): Binding {
  if (typeof binding === 'string') return binding;
  return { buffer: binding.buffer, offset: binding.offset / 2, size: Math.ceil(binding.size / 2) };
}

function fail({ shader }: Dispatch, what: string): never {
  throw new ConvbaseError('precision/unsupported', what, { where: shader });
}
