import { ConvbaseError } from '@convbase/base';
import { isNode, isScalar, Lexer, LineCounter, parseDocument, Parser, visit, type Document } from 'yaml';

/** A hundred times the longest of convbase's own. */
const MAX_CHARS = 2 ** 18;
/** Deeper than any recipe; what reads it calls itself for every level. */
const MAX_DEPTH = 50;
/** For each of them the parser looks through all. */
const MAX_ALIASES = 500;

/** A text that was read: the nodes with their places, and what they stand for as plain objects. */
export interface YamlText {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly value: unknown;
}

/**
 * Reads YAML from outside, in a time that grows with its length.
 *
 * @param where the file, for messages
 * @throws ConvbaseError `recipe/yaml`
 */
export function parseYaml(text: string, where: string): YamlText {
  if (text.length > MAX_CHARS) {
    throw refusal(where, 1, `it has ${text.length} characters, a recipe at most ${MAX_CHARS}`);
  }
  checkExtent(text, where);
  const lines = new LineCounter();
  // Pretty errors are dear, and so are the keys of a map where the parser compares each with all others.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  // What the parser only warns of, such as a tag that it does not know, is not done.
  const [error] = [...document.errors, ...document.warnings];
  const what = error?.code === 'MULTIPLE_DOCS' ? 'a recipe is one document, without ---' : error?.message;
  const problem = error === undefined || what === undefined ? oddKey(document) : { what, at: error.pos[0] };
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.at);
    throw refusal(where, line, `it is not YAML: ${problem.what} at line ${line}, column ${col}`);
  }
  return { document, lines, value: plainValue(document, where) };
}

function refusal(where: string, line: number, what: string): ConvbaseError {
  return new ConvbaseError('recipe/yaml', what, {
    where: `${where}:${line}`,
    fix: '`convbase recipe show catsdogs-vgg16-features-150` shows what a recipe looks like.',
  });
}

/** Refuses what is too deep or refers to itself too often, before anything follows it down. */
function checkExtent(text: string, where: string): void {
  const parser = new Parser();
  const tooMuch = (what: string): ConvbaseError =>
    refusal(where, text.slice(0, parser.offset).split('\n').length, what);
  let aliases = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.startsWith('*')) aliases++;
    // What it makes is of no use yet.
    Array.from(parser.next(lexeme));
    if (aliases > MAX_ALIASES) throw tooMuch(`it has more than ${MAX_ALIASES} aliases (*name)`);
    if (parser.stack.length > 2 * MAX_DEPTH) throw tooMuch(`it is nested more than ${MAX_DEPTH} deep`);
  }
}

function oddKey(document: Document.Parsed): { what: string; at: number } | undefined {
  let found: { what: string; at: number } | undefined;
  visit(document, {
    Map(_, map) {
      const keys = new Set<unknown>();
      for (const { key } of map.items) {
        const at = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        // Plain objects have no such keys.
        if (!isScalar(key)) found = { what: 'a key has to be one word', at };
        else if (keys.has(key.value)) found = { what: 'Map keys must be unique', at };
        if (found !== undefined || !isScalar(key)) return visit.BREAK;
        keys.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

/** What the text says, as plain objects; aliases of aliases may not blow it up. */
function plainValue(document: Document.Parsed, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ConvbaseError('recipe/yaml', 'its aliases (*name) cannot be followed', {
      where,
      fix: 'Write out what they stand for.',
      cause,
    });
  }
}
