import { cpus } from 'node:os';

/** The processor's name, for what runs on it: `Intel(R) Xeon(R) Processor @ 2.60GHz, 2 threads`. */
export function processor(threads: number, more = ''): string {
  const model = cpus()[0]?.model.trim() || 'unnamed processor';
  return [model, `${threads} ${threads === 1 ? 'thread' : 'threads'}`, more].filter(Boolean).join(', ');
}
