import { describe, expect, it } from 'vitest';
import { type HostArray, type Model, splitFrozen } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';
import { precisionFrom } from './precision.ts';

const vggInput: HostArray = { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] };
const bytes = Uint8Array.from({ length: 3 * 33 * 29 * 3 }, (_, i) => (i * 7919) % 256);
const inceptionInput: HostArray = { data: bytes, shape: [3, 33, 29, 3], preprocess: 'tf' };

function relative(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2;
    norm += (expected[i] ?? NaN) ** 2;
  }
  return Math.sqrt(difference / norm);
}

describe('mixed precision', { timeout: 120_000 }, () => {
  const gpu = withGpu();

  async function bothWays(model: Model, x: HostArray): Promise<[HostArray, HostArray]> {
    model.to(gpu());
    const plain = await model.predict(x);
    model.precision = 'mixed';
    const mixed = await model.predict(x);
    model.precision = 'float32';
    expect(await model.predict(x)).toEqual(plain);
    model.dispose();
    return [plain, mixed];
  }

  it.each([
    ['a plain network', miniVgg, vggInput],
    ['branches, normalisation and bytes', miniInception, inceptionInput],
  ])('predicts what float32 does, but for the rounding of what lies between: %s', async (_, make, x) => {
    const [plain, mixed] = await bothWays(make(), x);
    expect(mixed.shape).toEqual(plain.shape);
    const error = relative(mixed.data, plain.data);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(2e-3);
  });

  it('goes over to the parts of a split model', () => {
    const model = miniVgg().unfreezeLast(2);
    model.precision = 'mixed';
    const split = splitFrozen(model);
    expect([split?.prefix.precision, split?.suffix.precision]).toEqual(['mixed', 'mixed']);
  });

  it('has a name of its own', () => {
    expect(precisionFrom('mixed', 'a recipe')).toBe('mixed');
    expect(() => precisionFrom('half', 'a recipe')).toThrow(/no precision called half/);
  });
});
