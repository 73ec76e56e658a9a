import fc from 'fast-check';

/** One thing done to a JSON document: something at its `node`-th value (counted in any order) is changed. */
export type JsonDamage =
  | { readonly node: number; readonly replace: unknown }
  | { readonly node: number; readonly remove: true }
  | { readonly node: number; readonly twice: true }
  | { readonly node: number; readonly rename: string }
  | { readonly node: number; readonly like: number };

/** Stands for a list in a list in a list .. which no stack is deep enough for. */
const ABYSS = 'abyss';
const abyss = '['.repeat(200_000) + ']'.repeat(200_000);

const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, '', 'x', '../x', '/etc/passwd', '\0', '__proto__', 'constructor', ABYSS],
    ...[0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 1e308, -1e308, 1e-320],
    ...[[], {}, [null], [[]], [-1], [2 ** 53, 2 ** 53], ['a', 0, 0], { class_name: 'x', config: {} }],
  ),
  fc.integer(),
  fc.string(),
);

/** One to six such changes. */
export const jsonDamages: fc.Arbitrary<JsonDamage[]> = fc.array(
  fc.noBias(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ node: fc.nat(100_000), replace: replacement }) },
      { weight: 2, arbitrary: fc.record({ node: fc.nat(100_000), like: fc.nat(100_000) }) },
      { weight: 1, arbitrary: fc.record({ node: fc.nat(100_000), remove: fc.constant(true as const) }) },
      { weight: 1, arbitrary: fc.record({ node: fc.nat(100_000), twice: fc.constant(true as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          node: fc.nat(100_000),
          rename: fc.constantFrom('__proto__', 'constructor', 'toString', 'length', 'name', '', 'layers'),
        }),
      },
    ),
  ),
  { minLength: 1, maxLength: 6 },
);

interface Node {
  readonly parent: Record<string, unknown>;
  readonly key: string;
}

/** The text of a damaged copy of a JSON document. */
export function damagedJson(original: unknown, list: readonly JsonDamage[]): string {
  const root: Record<string, unknown> = { root: structuredClone(original) };
  for (const one of list) {
    const nodes = nodesOf(root);
    const at = (index: number): Node => nodes[index % nodes.length] ?? { parent: root, key: 'root' };
    const { parent, key } = at(one.node);
    if ('replace' in one) set(parent, key, structuredClone(one.replace));
    else if ('like' in one) set(parent, key, structuredClone(at(one.like).parent[at(one.like).key]));
    else if ('rename' in one) {
      if (!Array.isArray(parent)) set(parent, one.rename, parent[key]);
    } else if ('twice' in one) {
      if (Array.isArray(parent)) parent.splice(Number(key), 0, structuredClone(parent[Number(key)]));
    } else if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent, key);
  }
  return JSON.stringify(root['root'] ?? null).replaceAll(`"${ABYSS}"`, abyss);
}

/** As JSON.parse does: `__proto__` is a key like any other. */
function set(parent: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

function nodesOf(root: Record<string, unknown>): Node[] {
  const nodes: Node[] = [];
  for (const queue = [root]; queue.length > 0;) {
    const parent = queue.pop() ?? {};
    for (const key of Object.keys(parent)) {
      nodes.push({ parent, key });
      const value = parent[key];
      if (typeof value === 'object' && value !== null) queue.push(value as Record<string, unknown>);
    }
  }
  return nodes;
}
