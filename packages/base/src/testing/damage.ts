import fc from 'fast-check';

/** A place in a file: so many millionths of it, or a few bytes behind a signature, where headers and lengths lie. */
type Place = { readonly millionths: number } | { readonly signature: number; readonly behind: number };

/** One thing done to a file; what shrinks when a test fails is a list of these. */
export type Damage =
  | { readonly flip: Place; readonly bit: number }
  | { readonly write: Place; readonly bytes: 1 | 2 | 4 | 8; readonly value: bigint }
  | { readonly point: Place; readonly to: Place; readonly bytes: 4 | 8 }
  | { readonly cut: Place }
  | { readonly remove: Place; readonly count: number }
  | { readonly insert: Place; readonly count: number; readonly byte: number }
  | { readonly copy: Place; readonly to: Place; readonly count: number };

// Without fast-check's preference for the smallest values, which all mean the first bytes.
const place: fc.Arbitrary<Place> = fc.noBias(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ millionths: fc.nat(1_000_000) }) },
    {
      weight: 3,
      arbitrary: fc.record({ signature: fc.nat(10_000), behind: fc.integer({ min: -16, max: 128 }) }),
    },
  ),
);

/** Numbers at which lengths, counts and offsets go wrong. */
const lie = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.constantFrom(
    ...[15n, 16n, 31n, 32n, 53n, 63n, 64n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n]),
  ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

/** One to eight things to do to a file. */
export const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ flip: place, bit: fc.nat(7) }) },
    {
      weight: 4,
      arbitrary: fc.record({ write: place, bytes: fc.constantFrom(1, 2, 4, 8), value: lie }),
    },
    { weight: 3, arbitrary: fc.record({ point: place, to: place, bytes: fc.constantFrom(4, 8) }) },
    { weight: 1, arbitrary: fc.record({ cut: place }) },
    { weight: 1, arbitrary: fc.record({ remove: place, count: fc.integer({ min: 1, max: 600 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ insert: place, count: fc.integer({ min: 1, max: 600 }), byte: fc.nat(255) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ copy: place, to: place, count: fc.integer({ min: 1, max: 600 }) }),
    },
  ),
  { minLength: 1, maxLength: 8 },
);

/** Where the four-letter signatures of HDF5 and zip structures stand in a file. */
export function signaturesIn(bytes: Uint8Array): number[] {
  const text = new TextDecoder('latin1').decode(bytes);
  const known =
    /\x89HDF|TREE|SNOD|HEAP|OHDR|OCHK|GCOL|FRHP|FHDB|FHIB|BTHD|BTIN|BTLF|FSHD|FSSE|PK[\x01\x03\x05]./gs;
  return Array.from(text.matchAll(known), (match) => match.index);
}

/** A damaged copy. `signatures` are offsets at which structures start, those of `signaturesIn` by default. */
export function damage(
  original: Uint8Array,
  list: readonly Damage[],
  signatures: readonly number[] = signaturesIn(original),
): Uint8Array {
  let bytes = original.slice();
  const at = (where: Place): number => {
    const offset =
      'millionths' in where
        ? Math.floor((where.millionths / 1_000_000) * bytes.length)
        : (signatures[where.signature % signatures.length] ?? 0) + where.behind;
    return Math.min(Math.max(0, offset), Math.max(0, bytes.length - 1));
  };
  const write = (offset: number, width: number, value: bigint) => {
    for (let i = 0; i < width && offset + i < bytes.length; i++) {
      bytes[offset + i] = Number((value >> BigInt(8 * i)) & 255n);
    }
  };
  for (const one of list) {
    if ('flip' in one) bytes[at(one.flip)] = (bytes[at(one.flip)] ?? 0) ^ (1 << one.bit);
    else if ('write' in one) write(at(one.write), one.bytes, one.value);
    else if ('point' in one) write(at(one.point), one.bytes, BigInt(at(one.to)));
    else if ('cut' in one) bytes = bytes.slice(0, at(one.cut));
    else if ('remove' in one)
      bytes = joined(bytes.subarray(0, at(one.remove)), bytes.subarray(at(one.remove) + one.count));
    else if ('insert' in one) {
      const middle = new Uint8Array(one.count).fill(one.byte);
      bytes = joined(bytes.subarray(0, at(one.insert)), middle, bytes.subarray(at(one.insert)));
    } else if ('copy' in one) {
      bytes.copyWithin(at(one.to), at(one.copy), Math.min(at(one.copy) + one.count, bytes.length));
    }
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
