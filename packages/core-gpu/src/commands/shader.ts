import { ConvbaseError } from '@convbase/base';
import { shaderTexts } from '../shaders/generated.ts';
import type { ShaderConstant } from './plan.ts';

/** The name of a WGSL file below `kernels/`, without its ending. */
export type ShaderName = keyof typeof shaderTexts;

type ScalarType = 'u32' | 'i32' | 'f32';

/** A storage variable of a shader: its binding number, name and whether the shader writes it. */
export interface StorageVariable {
  readonly binding: number;
  readonly name: string;
  readonly writable: boolean;
  /** The storage type of its elements, without the 4 of vectors of it; null where the text says what they are. */
  readonly type: string | null;
}

/** What core-gpu reads off a WGSL file: its storage variables and the fields of its `struct Params`. */
export interface ShaderInterface {
  readonly storage: readonly StorageVariable[];
  readonly uniforms: readonly { readonly name: string; readonly type: ScalarType }[];
}

const storagePattern =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*([A-Za-z_]\w*)\s*:\s*(?:array<([A-Z]\w*)>)?/g;
const paramsPattern = /struct\s+Params\s*\{([^}]*)\}/;
const fieldPattern = /^([A-Za-z_]\w*)\s*:\s*(u32|i32|f32)$/;

const interfaces = new Map<ShaderName, ShaderInterface>();

/** The bindings and uniform fields of a shader, parsed from its text once. */
export function shaderInterface(name: ShaderName): ShaderInterface {
  let parsed = interfaces.get(name);
  if (!parsed) {
    parsed = parseShader(name, shaderTexts[name]);
    interfaces.set(name, parsed);
  }
  return parsed;
}

/** Parses WGSL written to the project's conventions (see kernels/README.md). */
export function parseShader(name: string, text: string): ShaderInterface {
  const code = text.replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
  const storage = [...code.matchAll(storagePattern)].map(([, binding, access, variable, type]) => ({
    binding: Number(binding),
    name: variable ?? '',
    writable: access === 'read_write',
    type: type === undefined || declares(code, type) ? null : type.replace(/[24]$/, ''),
  }));
  const declared = code.match(/var<storage/g)?.length ?? 0;
  if (declared !== storage.length) {
    throw new ConvbaseError('shader/convention', 'a storage variable is not declared in one line', {
      where: name,
    });
  }
  const uniforms = (paramsPattern.exec(code)?.[1] ?? '')
    .split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '')
    .map((field) => {
      const match = fieldPattern.exec(field);
      if (!match) {
        throw new ConvbaseError('shader/convention', `Params field '${field}' is not a u32, i32 or f32`, {
          where: name,
        });
      }
      return { name: match[1] ?? '', type: match[2] as ScalarType };
    });
  return { storage, uniforms };
}

/** Whether a shader itself says what this type is. */
function declares(code: string, type: string): boolean {
  return new RegExp(`\\b(struct|alias)\\s+${type}\\b`).test(code);
}

/** The storage types of a shader: what it calls the elements of tensors that may be float32 or float16. */
export function storageTypes(name: ShaderName): readonly string[] {
  return [...new Set(shaderInterface(name).storage.flatMap(({ type }) => type ?? []))];
}

/**
 * The shader's text with its constants in front and its `enable` lines first, as WGSL wants them. A constant that is
 * 'f16' or 'f32' names a type; the first of them is enabled. Storage types are f32 unless a constant says otherwise,
 * and vectors of two and four of `X` are called `X2` and `X4`.
 */
export function assembleShader(
  text: string,
  given: Readonly<Record<string, ShaderConstant>>,
  storage: readonly string[] = [],
): string {
  const constants = { ...Object.fromEntries(storage.map((type) => [type, 'f32'])), ...given };
  const enables = Object.values(constants).includes('f16') ? ['enable f16;'] : [];
  const body = text.replace(/^enable [^;]*;[^\n]*$/gm, (line) => {
    enables.push(line);
    return '';
  });
  const lines = Object.entries(constants).map(([name, value]) =>
    typeof value === 'string' ? `alias ${name} = ${value};` : `const ${name} = ${String(value)};`,
  );
  const vectors = storage.flatMap((type) =>
    [2, 4].map((size) => `alias ${type}${size} = vec${size}<${type}>;`),
  );
  return [...enables, ...lines, ...vectors, body].join('\n');
}

/** The text of a shader with its constants. */
export function shaderText(name: ShaderName, constants: Readonly<Record<string, ShaderConstant>>): string {
  return assembleShader(shaderTexts[name], constants, storageTypes(name));
}

/** Writes uniform values in the order of `struct Params` at `offset` (4 bytes each, little endian). */
export function packUniforms(
  name: ShaderName,
  values: Readonly<Record<string, number>>,
  target: DataView,
  offset: number,
): void {
  const { uniforms } = shaderInterface(name);
  const given = Object.keys(values);
  if (given.length !== uniforms.length) {
    const expected = uniforms.map((field) => field.name);
    throw new ConvbaseError(
      'shader/uniforms',
      `uniforms [${given.join()}] given, [${expected.join()}] wanted`,
      {
        where: name,
      },
    );
  }
  uniforms.forEach((field, index) => {
    const value = values[field.name];
    const at = offset + 4 * index;
    if (value === undefined) {
      throw new ConvbaseError('shader/uniforms', `uniform '${field.name}' is not given`, { where: name });
    }
    if (field.type === 'f32') target.setFloat32(at, value, true);
    else if (
      !Number.isInteger(value) ||
      value > 0xffffffff ||
      value < (field.type === 'u32' ? 0 : -0x80000000)
    ) {
      throw new ConvbaseError(
        'shader/uniforms',
        `uniform '${field.name}' = ${String(value)} is no ${field.type}`,
        {
          where: name,
        },
      );
    } else if (field.type === 'u32') target.setUint32(at, value, true);
    else target.setInt32(at, value, true);
  });
}
