import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { Model } from '@convbase/layers';
import { computeFeatures, computeFinetuning, type MakeBase } from './full-model.ts';
import {
  goldenTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type ModelCase,
} from './golden-file.ts';
import { judge, tolerances, type CaseResult, type ComputedTensor, type Expectation } from './judge.ts';
import { computeOperation, operationInputs } from './operations.ts';
import { computeTrajectory } from './optimizers.ts';
import { computeForward, computeTrainingRun, parseTrainingRun } from './training-run.ts';

/** What a file's cases need beyond the file. */
export interface VerifyContext {
  readonly gpu: Gpu;
  /** A fresh copy of the small model that lies beside the file. */
  readonly smallModel: (name: string) => Promise<Model>;
  /** A full model by name. */
  readonly makeBase: MakeBase;
}

/** A case's verdict, and the tensors that were computed for it, by their full names. */
export interface VerifiedCase {
  readonly result: CaseResult;
  readonly computed: ReadonlyMap<string, ComputedTensor>;
}

/** Something to compute, and what of it the file expects. */
interface Job {
  readonly name: string;
  readonly expected: readonly Expectation[];
  /** What comes out, under the file's names; it may be more than is expected. */
  readonly compute: () => Promise<ReadonlyMap<string, ComputedTensor>>;
}

/**
 * Computes and judges every case of a file. Every tensor of the file is either given or expected: those that belong
 * to no case make a failing case `<file>/unknown`.
 *
 * A case that cannot be computed fails with its error; the others go on.
 */
export async function* verifyFile(file: GoldenFile, context: VerifyContext): AsyncGenerator<VerifiedCase> {
  const { contents } = file;
  const { jobs, given } =
    'model' in contents ? modelJobs(file, contents.model, context) : listJobs(file, contents.cases, context);
  const judged = new Set(given);
  for (const job of jobs) {
    for (const { tensor } of job.expected) judged.add(tensor);
    yield runJob(file, job);
  }
  const rest = [...file.tensors.keys()].filter((tensor) => !judged.has(tensor));
  if (rest.length > 0) {
    const expected = rest.map((tensor) => ({ tensor, tolerance: tolerances.operation }));
    const error = 'these tensors belong to no case of the file';
    yield { result: judge(`${file.name}/unknown`, file, expected, new Map(), error), computed: new Map() };
  }
}

async function runJob(file: GoldenFile, { name, expected, compute }: Job): Promise<VerifiedCase> {
  const fullName = `${file.name}/${name}`;
  try {
    if (expected.length === 0) {
      throw new ConvbaseError('verify/format', 'the case expects no tensor, so that nothing could fail', {
        where: fullName,
        fix: 'The file is incomplete: fetch it again.',
      });
    }
    const all = await compute();
    const computed = new Map(
      expected.flatMap(({ tensor }) => {
        const value = all.get(tensor);
        return value === undefined ? [] : [[tensor, value] as const];
      }),
    );
    return { result: judge(fullName, file, expected, computed), computed };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { result: judge(fullName, file, expected, new Map(), message), computed: new Map() };
  }
}

interface Jobs {
  readonly jobs: readonly Job[];
  /** Tensors that are not expected but given. */
  readonly given: readonly string[];
}

function listJobs(file: GoldenFile, cases: readonly GoldenCase[], context: VerifyContext): Jobs {
  const runs = cases.filter((one) => one.op === 'training_run');
  const [first] = runs;
  const forward = first === undefined ? [] : [forwardJob(file, first, context)];
  const jobs = cases.map((one) =>
    one.op === 'training_run'
      ? trainingJob(file, one, context)
      : one.op === 'optimizer'
        ? caseJob(file, one, ['w0', 'grads'], (given) => computeTrajectory(context.gpu, one, given))
        : caseJob(file, one, operationInputs(one.op), (given) => computeOperation(context.gpu, one, given)),
  );
  return {
    jobs: [...forward, ...jobs.map(({ job }) => job)],
    given: [...(first === undefined ? [] : ['x', 'y']), ...jobs.flatMap(({ given }) => given)],
  };
}

/** The tensors `<case>.<role>`, by role. */
function rolesOf(file: GoldenFile, name: string): readonly string[] {
  const prefix = `${name}.`;
  return [...file.tensors.keys()]
    .filter((tensor) => tensor.startsWith(prefix))
    .map((tensor) => tensor.slice(prefix.length));
}

function caseJob(
  file: GoldenFile,
  { name }: GoldenCase,
  inputs: readonly string[],
  compute: (given: ReadonlyMap<string, GoldenTensor>) => Promise<ReadonlyMap<string, ComputedTensor>>,
): { job: Job; given: readonly string[] } {
  const roles = rolesOf(file, name);
  const given = roles.filter((role) => inputs.includes(role));
  const expected = roles
    .filter((role) => !inputs.includes(role))
    .map((role) => ({ tensor: `${name}.${role}`, tolerance: tolerances.operation }));
  const job: Job = {
    name,
    expected,
    compute: async () => {
      const tensors = new Map(given.map((role) => [role, goldenTensor(file, `${name}.${role}`)]));
      return prefixed(name, await compute(tensors));
    },
  };
  return { job, given: given.map((role) => `${name}.${role}`) };
}

function forwardJob(file: GoldenFile, parameters: GoldenCase, context: VerifyContext): Job {
  const prefix = 'activation.';
  const tensors = [...file.tensors.keys()].filter(
    (tensor) => tensor === 'predictions' || tensor.startsWith(prefix),
  );
  const layers = tensors
    .filter((tensor) => tensor.startsWith(prefix))
    .map((tensor) => tensor.slice(prefix.length));
  return {
    name: 'forward',
    expected: tensors.map((tensor) => ({ tensor, tolerance: tolerances.operation })),
    compute: async () => {
      const model = await context.smallModel(parseTrainingRun(parameters).model);
      return computeForward(context.gpu, model, goldenTensor(file, 'x'), layers);
    },
  };
}

function trainingJob(
  file: GoldenFile,
  parameters: GoldenCase,
  context: VerifyContext,
): { job: Job; given: readonly string[] } {
  const { name } = parameters;
  const roles = rolesOf(file, name);
  const expected = roles.map((role) => ({
    tensor: `${name}.${role}`,
    tolerance: trainingTolerance(role, roles),
  }));
  const job: Job = {
    name,
    expected,
    compute: async () => {
      const run = parseTrainingRun(parameters);
      const model = await context.smallModel(run.model);
      const [x, y] = [goldenTensor(file, 'x'), goldenTensor(file, 'y')];
      return prefixed(name, await computeTrainingRun(context.gpu, model, run, x, y));
    },
  };
  return { job, given: [] };
}

/** A weight that has no `moved` stayed where it was, bit by bit. */
function trainingTolerance(role: string, roles: readonly string[]): number {
  const [kind, path] = [role.slice(0, role.indexOf('.')), role.slice(role.indexOf('.') + 1)];
  if (kind === 'moved') return tolerances.moved;
  return kind === 'after' && !roles.includes(`moved.${path}`) ? tolerances.frozen : tolerances.operation;
}

function modelJobs(file: GoldenFile, model: ModelCase, { gpu, makeBase }: VerifyContext): Jobs {
  const inputs = new Set(['images', 'labels']);
  const given = [...file.tensors.keys()].filter((tensor) => inputs.has(tensor));
  const outputs = [...file.tensors.keys()].filter((tensor) => !inputs.has(tensor));
  const finetune = model.kind === 'finetune';
  const expected = outputs.map((tensor) => ({
    tensor,
    tolerance: !finetune
      ? tolerances.features
      : tensor.startsWith('delta_sample.')
        ? tolerances.finetuneDelta
        : tolerances.finetune,
  }));
  const job: Job = {
    name: model.kind,
    expected,
    compute: () =>
      finetune
        ? computeFinetuning(gpu, file, model, goldenTensor(file, 'labels'), makeBase)
        : computeFeatures(gpu, file, model, makeBase),
  };
  return { jobs: [job], given };
}

function prefixed(name: string, tensors: ReadonlyMap<string, ComputedTensor>): Map<string, ComputedTensor> {
  return new Map([...tensors].map(([role, tensor]) => [`${name}.${role}`, tensor]));
}
