const whole = new Intl.NumberFormat('en-US');

/** `1,234` */
export function count(value: number): string {
  return whole.format(value);
}

/** `1 picture`, `1,234 pictures` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Four digits behind the point, as Keras prints metrics, or in powers of ten where those would be zeros. */
export function measure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return value === 0 || Math.abs(value) > 1e-3 ? value.toFixed(4) : value.toExponential(2);
}

/** `97.3 %` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `42 s`, `3 min 20 s`, `1 h 5 min` */
export function time(seconds: number): string {
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}

/** A setting's value. */
export function plain(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
