import { describe, expect, it } from 'vitest';
import { assembleShader, packUniforms, parseShader } from './shader.ts';

describe('parseShader', () => {
  it('reads bindings and uniform fields, and skips comments', () => {
    const text = `
      // @group(0) @binding(9) var<storage, read> ghost: array<f32>;
      struct Params { n: u32, /* rate */ rate: f32, shift: i32, }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read> x: array<f32>;
      @group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
      @group(0) @binding(3) var<storage, read_write> z: array<Stored4>;`;
    expect(parseShader('test', text)).toEqual({
      storage: [
        { binding: 1, name: 'x', writable: false, type: null },
        { binding: 2, name: 'y', writable: true, type: null },
        { binding: 3, name: 'z', writable: true, type: 'Stored' },
      ],
      uniforms: [
        { name: 'n', type: 'u32' },
        { name: 'rate', type: 'f32' },
        { name: 'shift', type: 'i32' },
      ],
    });
  });

  it('refuses what it cannot read', () => {
    expect(() => parseShader('bad', 'struct Params { v: vec2<f32> }')).toThrow(
      /bad: Params field 'v: vec2<f32>'/,
    );
    expect(() => parseShader('bad', '@binding(1) @group(0) var<storage, read> x: array<f32>;')).toThrow(
      /one line/,
    );
  });
});

describe('assembleShader', () => {
  it('puts enable lines first, constants next', () => {
    const text = '// header\nenable subgroups;\nfn main() {}';
    const constants = { TILE: 8, HAS_BIAS: false, RATE: 0.5 };
    expect(assembleShader(text, constants).split('\n')).toEqual([
      'enable subgroups;',
      'const TILE = 8;',
      'const HAS_BIAS = false;',
      'const RATE = 0.5;',
      '// header',
      '',
      'fn main() {}',
    ]);
  });

  it('fills in types, and enables those that have to be', () => {
    expect(assembleShader('fn main() {}', { Stored: 'f16', Sum: 'f32' }).split('\n')).toEqual([
      'enable f16;',
      'alias Stored = f16;',
      'alias Sum = f32;',
      'fn main() {}',
    ]);
    expect(assembleShader('fn main() {}', { Stored: 'f32' })).not.toContain('enable');
  });

  it('makes storage types float32 unless told otherwise, and gives them vectors', () => {
    expect(assembleShader('fn main() {}', { Y: 'f16' }, ['X', 'Y']).split('\n')).toEqual([
      'enable f16;',
      'alias X = f32;',
      'alias Y = f16;',
      'alias X2 = vec2<X>;',
      'alias X4 = vec4<X>;',
      'alias Y2 = vec2<Y>;',
      'alias Y4 = vec4<Y>;',
      'fn main() {}',
    ]);
  });
});

describe('packUniforms', () => {
  const view = new DataView(new ArrayBuffer(16));

  it('writes values in the order of the struct', () => {
    packUniforms('elementwise/fill', { value: 1.5, count: 7 }, view, 4);
    expect(view.getUint32(4, true)).toBe(7);
    expect(view.getFloat32(8, true)).toBe(1.5);
  });

  it('refuses unknown, missing and impossible values', () => {
    expect(() => {
      packUniforms('elementwise/fill', { value: 1 }, view, 0);
    }).toThrow(/\[value\] given, \[count,value\] wanted/);
    expect(() => {
      packUniforms('elementwise/fill', { value: 1, counts: 1 }, view, 0);
    }).toThrow(/'count' is not given/);
    expect(() => {
      packUniforms('elementwise/fill', { value: 1, count: -1 }, view, 0);
    }).toThrow(/'count' = -1 is no u32/);
  });
});
