import { ConvbaseError } from '@convbase/base';
import { pythonFloat } from '../logs/python-float.ts';

/** `{name}` or `{name:spec}`; doubled braces stand for themselves. */
const FIELD = /\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}|[{}]/g;

/** Python's format specification, as far as numbers in file names need it. */
const SPEC =
  /^(?:(?<fill>.)?(?<align>[<>^]))?(?<zero>0)?(?<width>\d{1,3})?(?:\.(?<precision>\d{1,2}))?(?<type>[defE%]?)$/;

/**
 * Fills numbers into a pattern as Python's `str.format` does: `{epoch:02d}-{val_loss:.2f}.keras`.
 *
 * @param integers values that Python would have as `int`
 * @param floats values that it would have as `float`
 * @throws ConvbaseError `checkpoint/path`
 */
export function formatPath(
  pattern: string,
  integers: Readonly<Record<string, number>>,
  floats: Readonly<Record<string, number>>,
): string {
  return pattern.replaceAll(FIELD, (field: string, name: string | undefined, spec: string | undefined) => {
    if (field === '{{' || field === '}}') return field.charAt(0);
    if (name === undefined)
      throw badPattern(pattern, `a single ${field} means nothing`, 'Write {{ or }} for a brace.');
    const integer = Object.hasOwn(integers, name);
    const value = integer ? integers[name] : Object.hasOwn(floats, name) ? floats[name] : undefined;
    if (value === undefined) {
      const known = [...Object.keys(integers), ...Object.keys(floats)].join(', ');
      throw badPattern(pattern, `there is no value called ${name}`, `Known are ${known}.`);
    }
    const text = formatNumber(value, spec ?? '', integer);
    if (text === undefined) {
      const kind = integer ? 'a whole number' : 'a fraction';
      throw badPattern(
        pattern,
        `${spec ?? ''} is no way to write ${kind}`,
        'Write {epoch:02d} or {val_loss:.2f}.',
      );
    }
    return text;
  });
}

function badPattern(pattern: string, what: string, fix: string): ConvbaseError {
  return new ConvbaseError('checkpoint/path', what, { where: pattern, fix });
}

function formatNumber(value: number, spec: string, integer: boolean): string | undefined {
  const groups = SPEC.exec(spec)?.groups;
  if (groups === undefined) return undefined;
  const {
    type = '',
    precision,
    width = '0',
    zero,
    align = '>',
    fill = zero === undefined ? ' ' : '0',
  } = groups;
  const whole = type === '' || type === 'd';
  if (whole && (precision !== undefined || (type === 'd' && !integer))) return undefined;
  const text = integer && whole ? String(value) : digits(value, type, Number(precision ?? 6));
  return pad(text, Number(width), fill, align);
}

function digits(value: number, type: string, places: number): string {
  if (type === '' || !Number.isFinite(value)) return pythonFloat(value);
  if (type === 'f') return value.toFixed(places);
  if (type === '%') return `${(value * 100).toFixed(places)}%`;
  // At least two digits in the exponent.
  const text = value.toExponential(places).replace(/e([+-])(\d)$/, 'e$10$2');
  return type === 'E' ? text.toUpperCase() : text;
}

function pad(text: string, width: number, fill: string, align: string): string {
  if (align === '<') return text.padEnd(width, fill);
  if (align === '^')
    return text.padStart(text.length + Math.floor((width - text.length) / 2), fill).padEnd(width, fill);
  const sign = fill === '0' && text.startsWith('-') ? '-' : '';
  return sign + text.slice(sign.length).padStart(width - sign.length, fill);
}
