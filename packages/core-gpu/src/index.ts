export type { Binding, Dispatch, KernelTarget, Plan } from './commands/plan.ts';
export type { ShaderName } from './commands/shader.ts';
export { describeAdapter, type AdapterDescription } from './device/adapter.ts';
export { Gpu, type Counters } from './device/gpu.ts';
export { openGpu, type OpenOptions } from './device/open.ts';
export type { Label, Phase } from './device/label.ts';
export type { ProfileEvent, ProfileRow } from './device/profile-rows.ts';
export type { GpuBuffer } from './memory/buffer.ts';
export type { MemoryReport } from './memory/pool.ts';
export * from './kernels/index.ts';
export { median } from './tuning/median.ts';
export { problemKey, type Problem, type TunedChoice, type TunedTable } from './tuning/table.ts';
export type { CandidatePlans, ProblemBuffer, Tunable } from './tuning/tunable.ts';
export {
  describeChoice,
  tuneProblem,
  type CandidateResult,
  type TunedProblem,
  type TuneOptions,
} from './tuning/tune.ts';
export { walkCandidates, type WalkedCandidate } from './tuning/walk.ts';
