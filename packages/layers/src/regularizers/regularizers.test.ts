import { describe, expect, it } from 'vitest';
import { l1, l1l2, l2, regularizerConfig, regularizerFrom } from './index.ts';

describe('regularizers', () => {
  it("have Keras' names and defaults", () => {
    expect(regularizerFrom('l2')).toEqual({ className: 'L2', l1: 0, l2: 0.01 });
    expect(regularizerFrom('L1')).toEqual(l1());
    expect(regularizerFrom('l1_l2')).toEqual({ className: 'L1L2', l1: 0, l2: 0 });
    expect(regularizerFrom(null)).toBeNull();
    const own = l1l2({ l1: 0.5 });
    expect(regularizerFrom(own)).toBe(own);
  });

  it('go into configurations and come out of them', () => {
    for (const regularizer of [l1(0.25), l2(1e-4), l1l2({ l1: 1, l2: 2 })]) {
      const config = regularizerConfig(regularizer);
      expect(regularizerFrom({ class_name: regularizer.className, config })).toEqual(regularizer);
    }
    expect(regularizerConfig(l2(0.5))).toEqual({ l2: 0.5 });
    expect(regularizerFrom({ class_name: 'L2', config: {} })).toEqual(l2());
  });

  it('that cannot be are refused', () => {
    expect(() => regularizerFrom('orthogonal')).toThrow('no regularizer called orthogonal');
    expect(() => regularizerFrom({})).toThrow('no regularizer called undefined');
    expect(() => regularizerFrom({ class_name: 'L2', config: { l2: 'a' } })).toThrow('penalised by NaN');
    expect(() => regularizerFrom('constructor')).toThrow('no regularizer called constructor');
    expect(() => regularizerFrom({ l1: 1, l2: 1 })).toThrow('no regularizer called undefined');
    expect(() => regularizerFrom({ ...l2(), l1: -1 })).toThrow('penalised by -1');
    expect(() => l2(-1)).toThrow('penalised by -1');
  });
});
