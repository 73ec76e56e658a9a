import { ConvbaseError } from '@convbase/base';
import type { Callback } from '@convbase/layers';
import type { TextLog } from './text-log.ts';

/** What a checkpoint keeps of a log: all of its text, a few kilobytes even after hundreds of epochs. */
export function textState(log: TextLog): Pick<Callback, 'getState' | 'setState'> {
  return {
    getState: () => ({ json: log.text }),
    setState({ json }) {
      if (typeof json !== 'string') {
        throw new ConvbaseError('state/mismatch', 'the checkpoint holds no text for this log', {
          where: log.path,
        });
      }
      log.restore(json);
    },
  };
}

/** JSON has neither NaN nor infinity: null stands for them. */
export function jsonNumber(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
