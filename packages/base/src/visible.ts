/**
 * Names and texts from outside (files, classes, layers, servers) may hold characters that command a terminal, turn the
 * direction of writing round, or are not seen at all. Whatever a person is to read passes through here on its way out:
 * `visible` where lines may stand below each other, `visibleLine` for what must stay in one, a name above all, and
 * `visibleJson` for JSON. Each takes time in proportion to the text, and changes nothing in what it has made.
 *
 * Escapes are for reading and do not lead back: a name that itself says `\x1b` looks like one with that character in it.
 * Programs take JSON, which is exact.
 */

/** A flag such as Scotland's, which ends in tags that would be invisible by themselves. */
const FLAG = String.raw`\u{1f3f4}[\u{e0030}-\u{e007a}]{1,16}\u{e007f}`;

/** What may stand beside a joiner that is of use: letters beyond ASCII, marks, pictures. */
const JOINED = String.raw`(?![\0-\x7f])[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}]`;

/** A joiner that makes one picture of several, or shapes the letters of Persian or Hindi. */
const JOINER = String.raw`(?<=${JOINED})[\u200c\u200d](?=${JOINED})`;

/** Beyond ASCII: the other control characters, what sets the direction, and what has no width. */
const HIDDEN = [
  String.raw`\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f`,
  String.raw`\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}\p{Surrogate}`,
].join('');

/** What is kept comes first, so that its parts are not met one by one. */
const unseen = (characters: string): RegExp => new RegExp(`(${FLAG}|${JOINER})|[${characters}]`, 'gu');

const unseenInText = unseen(String.raw`\0-\x08\x0b-\x1f${HIDDEN}`);
const unseenInLine = unseen(String.raw`\0-\x1f${HIDDEN}`);
const unseenInJson = unseen(HIDDEN);

/** Text of several lines with its control, direction and invisible characters written as escapes; tabs stay. */
export function visible(text: string): string {
  return text.replace(unseenInText, (found, kept?: string) => kept ?? escapeOf(found));
}

/** The same for what belongs into one line: no line break in a name begins a line of its own, and no tab shifts it. */
export function visibleLine(text: string): string {
  return text.replace(unseenInLine, (found, kept?: string) => kept ?? escapeOf(found));
}

/** `JSON.stringify` with escapes also for the characters that JSON allows but nobody sees. It parses to the same value. */
export function visibleJson(value: object | string, space?: number): string {
  return escapedJson(JSON.stringify(value, undefined, space));
}

/** The same for text that is JSON already, or has such characters only in strings that know its escapes. */
export function escapedJson(text: string): string {
  return text.replace(unseenInJson, (found, kept?: string) => kept ?? jsonEscapeOf(found));
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${hex(code, 5)}}`;
  return named[character] ?? (code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2)}`);
}

/** In JSON a character beyond U+FFFF is two escapes. */
function jsonEscapeOf(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join('');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
