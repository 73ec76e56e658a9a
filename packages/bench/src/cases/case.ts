import type { Task } from '../protocol.ts';
import type { Cost } from './cost.ts';
import type { Files } from './files.ts';

/** Where a case stands in tables. */
export type Group = 'forward' | 'training' | 'convolutions' | 'pictures' | 'start';

/** Which runs a case is part of: `ratios` are the few that build machines compare. */
export type CaseSet = 'quick' | 'full' | 'ratios';

/** Something that is timed. */
export interface Case {
  /** As results and `--only` call it: `forward/vgg16/150/4`. */
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly sets: readonly CaseSet[];
  /** How many pictures (or rows) one run is about. */
  readonly pictures: number;
  /** What a contender is asked to do, and what that takes at the least, by layer. Makes the files. */
  readonly prepare: (files: Files) => Promise<Prepared>;
  /** Only these contenders, where others have no part in it. */
  readonly only?: readonly string[];
  /** The clock runs from the start of the process. */
  readonly start?: 'cold' | 'warm';
}

export interface Prepared {
  readonly task: Task;
  readonly cost: readonly Cost[];
  /** Further sides: a contender at another task, to compare the two. */
  readonly versus?: readonly { readonly contender: string; readonly label: string; readonly task: Task }[];
}
