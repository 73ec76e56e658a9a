/** What a checker of values (zod) says of one that is wrong. */
interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

/** More of them say no more. A file may have a million. */
const MOST = 5;

/** The first few problems of a value from outside, for a message: what, and in the next line where. */
export function issueLines(issues: readonly Issue[]): string[] {
  const lines = issues
    .slice(0, MOST)
    .flatMap(({ message, path }) => [
      `✖ ${message}`,
      ...(path.length === 0 ? [] : [`  → at ${placeOf(path)}`]),
    ]);
  return issues.length > MOST ? [...lines, `and ${issues.length - MOST} more`] : lines;
}

/** `layers[1].name` */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return parts.join('').replace(/^\./, '');
}
