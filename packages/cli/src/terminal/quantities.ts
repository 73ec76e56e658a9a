/** `12 bytes`, `35.4 kB`, `88 MB`, `1.2 GB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return `${String(bytes)} byte${bytes === 1 ? '' : 's'}`;
  let value = bytes / 1000;
  for (const unit of ['kB', 'MB', 'GB']) {
    // What rounds to a thousand is one of the next.
    if (value < 999.5) return `${value.toFixed(value < 99.95 ? 1 : 0)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

const spans = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 days`, `1 hour`, `just now`: how long ago something was, in the largest unit that fits. */
export function ageInWords(milliseconds: number): string {
  for (const [unit, length] of spans) {
    const count = Math.floor(milliseconds / length);
    if (count >= 1) return `${String(count)} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'just now';
}
