import { ConvbaseError } from '@convbase/base';
import type { Model } from '@convbase/layers';
import { computeFeatures, computeFinetuning, type ModelContext } from './full-model.ts';
import {
  goldenTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type ModelCase,
} from './golden-file.ts';
import {
  judge,
  mixedTolerances,
  tolerances,
  type CaseResult,
  type ComputedTensor,
  type Expectation,
} from './judge.ts';
import { computeOperation, operationInputs } from './operations.ts';
import { computeTrajectory } from './optimizers.ts';
import { computeForward, computeTrainingRun, parseTrainingRun } from './training-run.ts';

/** What a file's cases need beyond the file. */
export interface VerifyContext extends ModelContext {
  /** A fresh copy of the small model that lies beside the file. */
  readonly smallModel: (name: string) => Promise<Model>;
}

/** A case's verdict, and the tensors that were computed for it, by their full names. */
export interface VerifiedCase {
  readonly result: CaseResult;
  readonly computed: ReadonlyMap<string, ComputedTensor>;
}

/** Something to compute, and what of it the file expects. */
interface Job {
  readonly name: string;
  /** Whether a model is computed, and not a single operation or optimizer. */
  readonly ofModel: boolean;
  readonly expected: readonly Expectation[];
  /** What comes out, under the file's names; it may be more than is expected. */
  readonly compute: () => Promise<ReadonlyMap<string, ComputedTensor>>;
}

/**
 * Computes and judges every case of a file. Every tensor of the file is either given or expected: those that belong
 * to no case make a failing case `<file>/unknown`.
 *
 * A case that cannot be computed fails with its error; the others go on. In mixed precision only models are computed:
 * the cases of single operations and of optimizers are float32 ones.
 */
export async function* verifyFile(file: GoldenFile, context: VerifyContext): AsyncGenerator<VerifiedCase> {
  const { contents } = file;
  const { jobs, given } =
    'model' in contents ? modelJobs(file, contents.model, context) : listJobs(file, contents.cases, context);
  const judged = new Set(given);
  for (const job of jobs) {
    const leftOut = context.precision === 'mixed' && !job.ofModel;
    for (const { tensor } of job.expected) judged.add(tensor);
    if (!leftOut) yield runJob(file, job);
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
  const run = cases.find((one) => one.op === 'training_run');
  const activations = [...file.tensors.keys()].filter(
    (tensor) => tensor === 'predictions' || tensor.startsWith(ACTIVATION),
  );
  const ofModel = run !== undefined || activations.length > 0;
  const forward = ofModel ? [forwardJob(file, run, activations, context)] : [];
  const roles = rolesByCase(file, cases);
  const jobs = cases.map((one) => {
    const own = roles.get(one.name) ?? [];
    return one.op === 'training_run'
      ? trainingJob(file, one, own, context)
      : one.op === 'optimizer'
        ? caseJob(file, one, own, ['w0', 'grads'], (given) => computeTrajectory(context.gpu, one, given))
        : caseJob(file, one, own, operationInputs(one.op), (given) =>
            computeOperation(context.gpu, one, given),
          );
  });
  return {
    jobs: [...forward, ...jobs.map(({ job }) => job)],
    given: [...(ofModel ? ['x', 'y'] : []), ...jobs.flatMap(({ given }) => given)],
  };
}

/** The roles of the tensors `<case>.<role>`. Both may have dots in them: the longest name of a case counts. */
function rolesByCase(file: GoldenFile, cases: readonly GoldenCase[]): ReadonlyMap<string, readonly string[]> {
  const roles = new Map(cases.map(({ name }): [string, string[]] => [name, []]));
  for (const tensor of file.tensors.keys()) {
    let dot = tensor.lastIndexOf('.');
    while (dot > 0 && !roles.has(tensor.slice(0, dot))) dot = tensor.lastIndexOf('.', dot - 1);
    if (dot > 0) roles.get(tensor.slice(0, dot))?.push(tensor.slice(dot + 1));
  }
  return roles;
}

function caseJob(
  file: GoldenFile,
  { name }: GoldenCase,
  roles: readonly string[],
  inputs: readonly string[],
  compute: (given: ReadonlyMap<string, GoldenTensor>) => Promise<ReadonlyMap<string, ComputedTensor>>,
): { job: Job; given: readonly string[] } {
  const given = roles.filter((role) => inputs.includes(role));
  const expected = roles
    .filter((role) => !inputs.includes(role))
    .map((role) => ({ tensor: `${name}.${role}`, tolerance: tolerances.operation }));
  const job: Job = {
    name,
    ofModel: false,
    expected,
    compute: async () => {
      const tensors = new Map(given.map((role) => [role, goldenTensor(file, `${name}.${role}`)]));
      return prefixed(name, await compute(tensors));
    },
  };
  return { job, given: given.map((role) => `${name}.${role}`) };
}

const ACTIVATION = 'activation.';

/** The model is the one that the file's training runs name, or without such runs the one that bears the file's name. */
function forwardJob(
  file: GoldenFile,
  run: GoldenCase | undefined,
  tensors: readonly string[],
  context: VerifyContext,
): Job {
  const layers = tensors
    .filter((tensor) => tensor.startsWith(ACTIVATION))
    .map((tensor) => tensor.slice(ACTIVATION.length));
  return {
    name: 'forward',
    ofModel: true,
    expected: tensors.map((tensor) => ({ tensor, tolerance: limits(context).operation })),
    compute: async () => {
      const name = run === undefined ? file.name.replace(/^.*\//, '') : parseTrainingRun(run).model;
      const model = await context.smallModel(name);
      return computeForward(context, model, goldenTensor(file, 'x'), layers);
    },
  };
}

function trainingJob(
  file: GoldenFile,
  parameters: GoldenCase,
  roles: readonly string[],
  context: VerifyContext,
): { job: Job; given: readonly string[] } {
  const { name } = parameters;
  const expected = roles.map((role) => ({
    tensor: `${name}.${role}`,
    tolerance: trainingTolerance(role, roles, limits(context)),
  }));
  const job: Job = {
    name,
    ofModel: true,
    expected,
    compute: async () => {
      const run = parseTrainingRun(parameters);
      const model = await context.smallModel(run.model);
      const [x, y] = [goldenTensor(file, 'x'), goldenTensor(file, 'y')];
      const paths = new Set(roles.filter((role) => role.includes('.')).map(pathOf));
      return prefixed(name, await computeTrainingRun(context, model, run, x, y, [...paths]));
    },
  };
  return { job, given: [] };
}

/** The weight's path in `after.<path>` and `moved.<path>`. */
const pathOf = (role: string): string => role.slice(role.indexOf('.') + 1);

/** A weight that has no `moved` stayed where it was, bit by bit. */
function trainingTolerance(
  role: string,
  roles: readonly string[],
  tolerances: ReturnType<typeof limits>,
): number {
  const [kind, path] = [role.slice(0, role.indexOf('.')), pathOf(role)];
  if (kind === 'moved') return tolerances.moved;
  if (kind !== 'after') return tolerances.operation;
  return roles.includes(`moved.${path}`) ? tolerances.after : tolerances.frozen;
}

function modelJobs(file: GoldenFile, model: ModelCase, context: VerifyContext): Jobs {
  const tolerances = limits(context);
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
    ofModel: true,
    expected,
    compute: () =>
      finetune
        ? computeFinetuning(context, file, model, goldenTensor(file, 'labels'))
        : computeFeatures(context, file, model),
  };
  return { jobs: [job], given };
}

/** How far the tensors of models may be off. */
function limits({ precision }: VerifyContext): typeof tolerances | typeof mixedTolerances {
  return precision === 'mixed' ? mixedTolerances : tolerances;
}

function prefixed(name: string, tensors: ReadonlyMap<string, ComputedTensor>): Map<string, ComputedTensor> {
  return new Map([...tensors].map(([role, tensor]) => [`${name}.${role}`, tensor]));
}
