import type { KernelTarget } from '../commands/plan.ts';
import type { GPUAdapterInfo } from '../webgpu-types.ts';

/** Which machine the kernels run on. Printed wherever a result is printed. */
export interface AdapterDescription {
  /** One line for people: `nvidia-geforce-rtx-4090 · NVIDIA: 550.120`, or the rasteriser's own words. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** Driver text as the adapter gives it; empty in browsers. */
  readonly driver: string;
  /** `software` is a rasteriser on the CPU, `null` computes nothing at all. */
  readonly kind: KernelTarget['kind'];
}

const softwareNames = /llvmpipe|lavapipe|swiftshader|softpipe|basic render|warp/i;

/** Reads an adapter's own information. */
export function describeAdapter(info: GPUAdapterInfo, backend: 'null' | undefined): AdapterDescription {
  const text = [info.description, info.device, info.architecture].join(' ');
  const software = info.isFallbackAdapter || info.architecture === 'software' || softwareNames.test(text);
  const kind = backend === 'null' ? 'null' : software ? 'software' : 'gpu';
  // The description is the driver's; that of a rasteriser says all there is, that of a GPU leaves out which GPU.
  const words = software ? [info.description || info.device] : [info.device, info.description];
  const known = words.filter(Boolean).join(' · ');
  const name = known || [info.vendor, info.architecture].filter(Boolean).join(' ');
  return {
    name: name || (kind === 'null' ? 'null backend' : 'unnamed adapter'),
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    driver: info.description,
    kind,
  };
}
