import { describe, expect, it, vi } from 'vitest';
import type { Plan } from '../commands/plan.ts';
import { bindingSlices } from '../kernels/binding-slices.ts';
import { grid1d } from '../kernels/grid.ts';
import { withGpu } from '../kernels/testing.ts';
import { openEntry } from '../platform/node.ts';
import { describeAdapter } from './adapter.ts';
import { Gpu } from './gpu.ts';
import { kernelTarget } from './kernel-target.ts';
import { openGpu } from './open.ts';

function fill(gpu: Gpu, count: number, value: number): Plan {
  return {
    kernel: 'fill',
    variant: 'plain',
    temporaries: {},
    flops: 0,
    bytes: 4 * count,
    dispatches: bindingSlices(count, gpu.target).map((slice) => ({
      shader: 'elementwise/fill',
      constants: { WORKGROUP: 64 },
      uniforms: { count: slice.count, value },
      bindings: { y: slice.of('y') },
      grid: grid1d(slice.count, 64, gpu.target),
    })),
  };
}

describe('Gpu', () => {
  const gpu = withGpu();

  it('runs writes, kernels and copies in the order in which they were recorded', async () => {
    const a = gpu().createBuffer(40, 'a');
    const b = gpu().createBuffer(40, 'b');
    gpu().write(a, new Float32Array(10).fill(1));
    gpu().copy(a, b, 40);
    gpu().run(fill(gpu(), 5, 2), { y: a });
    gpu().write(b, new Float32Array([7]), 4);
    gpu().copy(a, b, 8, 0, 32);
    expect([...new Float32Array(await gpu().read(a, 40))]).toEqual([2, 2, 2, 2, 2, 1, 1, 1, 1, 1]);
    expect([...new Float32Array(await gpu().read(b, 40))]).toEqual([1, 7, 1, 1, 1, 1, 1, 1, 2, 2]);
    gpu().releaseBuffer(a);
    gpu().releaseBuffer(b);
  });

  it('uses the memory of released buffers again and counts it', async () => {
    const before = gpu().memory();
    const step = async (): Promise<void> => {
      const [a, b] = [gpu().createBuffer(100_000, 'a'), gpu().createBuffer(90_000, 'b')];
      expect(gpu().memory().liveBuffers).toBe(before.liveBuffers + 2);
      gpu().run(fill(gpu(), 10, 1), { y: a });
      gpu().releaseBuffer(a);
      gpu().run(fill(gpu(), 10, 2), { y: b });
      gpu().releaseBuffer(b);
      await gpu().flush();
      expect(() => {
        gpu().releaseBuffer(b);
      }).toThrow(/released already/);
    };
    await step();
    const { buffers } = gpu().counters();
    expect(gpu().memory()).toMatchObject({
      liveBytes: before.liveBytes,
      pooledBuffers: before.pooledBuffers + 1,
    });
    await step();
    expect(gpu().counters().buffers).toBe(buffers);
  });

  it('submits once for many kernels and compiles once for many sizes', async () => {
    const a = gpu().createBuffer(4000, 'a');
    gpu().run(fill(gpu(), 1, 0), { y: a });
    await gpu().flush();
    const before = gpu().counters();
    for (let i = 1; i < 1000; i++) gpu().run(fill(gpu(), i, i), { y: a });
    await gpu().flush();
    const after = gpu().counters();
    expect(after.submits - before.submits).toBe(1);
    expect(after.pipelines).toBe(before.pipelines);
    expect(new Float32Array(await gpu().read(a, 8))[1]).toBe(999);
    gpu().releaseBuffer(a);
  });

  it('uploads what no recorded command uses without cutting the command buffer in two', async () => {
    const [a, b] = [gpu().createBuffer(4, 'a'), gpu().createBuffer(4, 'b')];
    gpu().run(fill(gpu(), 1, 1), { y: a });
    const before = gpu().counters().submits;
    gpu().write(b, new Float32Array([2]));
    gpu().run(fill(gpu(), 1, 3), { y: a });
    await gpu().flush();
    expect(gpu().counters().submits - before).toBe(1);
    expect([...new Float32Array(await gpu().read(b, 4))]).toEqual([2]);
    gpu().releaseBuffer(a);
    gpu().releaseBuffer(b);
  });

  it('keeps a write behind a read that was asked for before it', async () => {
    const a = gpu().createBuffer(4, 'a');
    gpu().write(a, new Float32Array([1]));
    const read = gpu().read(a, 4);
    gpu().write(a, new Float32Array([2]));
    expect([...new Float32Array(await read)]).toEqual([1]);
    expect([...new Float32Array(await gpu().read(a, 4))]).toEqual([2]);
    gpu().releaseBuffer(a);
  });

  it('submits long work in parts, so that no driver takes the device for hung', async () => {
    const a = gpu().createBuffer(4, 'a');
    const plan = { ...fill(gpu(), 1, 1), flops: 6e10 };
    const before = gpu().counters().submits;
    for (let i = 0; i < 4; i++) gpu().run(plan, { y: a });
    await gpu().flush();
    expect(gpu().counters().submits - before).toBe(2);
    gpu().releaseBuffer(a);
  });

  it('drops what an error left half encoded', async () => {
    const a = gpu().createBuffer(4, 'a');
    gpu().write(a, new Float32Array([1]));
    gpu().run(fill(gpu(), 1, 2), { y: a });
    gpu().run(fill(gpu(), 1, 3), { z: a });
    await expect(gpu().flush()).rejects.toThrow(/no buffer is called 'y'/);
    expect([...new Float32Array(await gpu().read(a, 4))]).toEqual([1]);
    gpu().releaseBuffer(a);
  });

  it('refuses a plan whose uniforms or bindings do not match the shader', async () => {
    const a = gpu().createBuffer(16, 'a');
    const plan = fill(gpu(), 1, 0);
    gpu().run(plan, { z: a });
    await expect(gpu().flush()).rejects.toThrow(/no buffer is called 'y'/);
    const [dispatch] = plan.dispatches;
    if (!dispatch) throw new Error('one dispatch');
    gpu().run({ ...plan, dispatches: [{ ...dispatch, bindings: { y: 'y', x: 'y' } }] }, { y: a });
    await expect(gpu().flush()).rejects.toThrow(/bindings \[y,x\] given, \[y\] wanted/);
    gpu().releaseBuffer(a);
  });
});

describe('Gpu failures', () => {
  it('turns a validation error into a ConvbaseError at the next flush', async () => {
    const gpu = await openGpu();
    const a = gpu.createBuffer(16, 'a');
    gpu.copy(a, a, 1_000_000);
    await gpu.flush();
    await expect(gpu.idle()).rejects.toMatchObject({ code: 'device/validation' });
    gpu.destroy();
  });

  it('says so when the device is lost, whoever is waiting', async () => {
    const adapter = await (await openEntry({})).requestAdapter({});
    if (!adapter) throw new Error('no adapter');
    const device = await adapter.requestDevice();
    const gpu = new Gpu({
      device,
      adapter: describeAdapter(adapter.info, undefined),
      target: kernelTarget('software', device, adapter.info, undefined),
      debug: 0,
      profile: false,
    });
    const a = gpu.createBuffer(16, 'a');
    const read = gpu.read(a);
    device.destroy();
    await expect(read).rejects.toMatchObject({ code: 'device/lost' });
    await expect(gpu.idle()).rejects.toMatchObject({ code: 'device/lost' });
    gpu.destroy();
  });

  it('names the kernel at debug level 3', async () => {
    const gpu = await openGpu({ debug: 3 });
    const a = gpu.createBuffer(16, 'a');
    gpu.copy(a, a, 1_000_000);
    await expect(gpu.flush()).rejects.toMatchObject({ code: 'device/validation', where: 'copy' });
    gpu.destroy();
  });

  it('says which size a buffer may have', async () => {
    const gpu = await openGpu({ backend: 'null' });
    expect(() => gpu.createBuffer(2 ** 45, 'activations')).toThrow(/activations.*the adapter allows/s);
    gpu.destroy();
    expect(() => gpu.createBuffer(4, 'late')).toThrow(/closed/);
  });

  it('says so when no adapter has the wanted name', async () => {
    await expect(openGpu({ adapter: 'no such adapter' })).rejects.toMatchObject({ code: 'adapter/none' });
  });

  it('prints where the time went at debug level 2', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const gpu = await openGpu({ debug: 2 });
    const a = gpu.createBuffer(4_000_000, 'a');
    gpu.run(fill(gpu, 1_000_000, 1), { y: a });
    await gpu.read(a, 4);
    gpu.destroy();
    expect(print.mock.calls.map(([line]) => String(line)).join('\n')).toMatch(
      /100\.0 % +1 +0\.0 +fill, plain/,
    );
    print.mockRestore();
  });

  it('measures kernels with timestamps', async () => {
    const gpu = await openGpu({ profile: true });
    const a = gpu.createBuffer(4_000_000, 'a');
    gpu.run(fill(gpu, 1_000_000, 1), { y: a });
    const rows = await gpu.profile();
    expect(rows).toMatchObject([{ kernel: 'fill', calls: 1 }]);
    expect(rows[0]?.milliseconds).toBeGreaterThan(0);
    gpu.destroy();
  });
});
