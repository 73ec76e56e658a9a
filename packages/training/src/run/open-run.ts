import type { Callback } from '@convbase/layers';
import type { HistoryFile } from '../logs/index.ts';
import type { RunFolder, RunRecord } from './run-folder.ts';
import type { RunContext } from './context.ts';

/** A run at work. */
export interface OpenRun extends RunContext {
  readonly folder: RunFolder;
  /** Kept through all stages. */
  readonly history: Callback & { readonly data: HistoryFile };
  /** How long training may go on within an epoch without a checkpoint. */
  readonly checkpointSeconds: number;
  /** Whether an earlier process began the run. */
  readonly resumed: boolean;
  /** What `run.json` says. */
  record: RunRecord;
  /** Changes it, on the disk too; its times are those of this moment. */
  update(change: Partial<RunRecord>): Promise<RunRecord>;
}
