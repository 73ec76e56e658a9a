import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { Model, Precision } from '@convbase/layers';
import { fileInFolder, isFile, listFiles, openSource, saveFile, shippedGolden } from '#platform';
import { applications, isApplication } from '../applications/index.ts';
import { readSafetensors, writeSafetensors, type ByteSource } from '../formats/index.ts';
import { loadModel } from '../graph/index.ts';
import type { MakeBase } from './full-model.ts';
import { readGoldenFile, type GoldenFile } from './golden-file.ts';
import type { CaseResult, ComputedTensor } from './judge.ts';
import { verifyFile } from './verify-file.ts';

export interface VerifyOptions {
  readonly gpu: Gpu;
  /** Of the models; single operations and optimizers are computed in float32 only. Default float32. */
  readonly precision?: Precision;
  /** Weight files (or whole models) of full models by name: `{ inception_v3: 'inception.h5' }`. */
  readonly weights?: Readonly<Record<string, string>>;
  /** Leaves out the files (by path below the folder, without ending) for which this is false. */
  readonly only?: (file: string) => boolean;
  /** Writes every computed tensor to a file of the same name in this folder. */
  readonly save?: string;
  /** Called after every case. */
  readonly onCase?: (result: CaseResult) => void;
  readonly signal?: AbortSignal;
}

export interface VerifyReport {
  readonly cases: number;
  /** Names of the cases that failed. */
  readonly failed: readonly string[];
}

const EXTENSION = '.safetensors';
const SAVED_BY = 'convbase verify';

/**
 * Checks a GPU against the files of expected values in a folder: operations, optimizers, small models and their
 * training runs, features and fine-tuning of full models.
 *
 * A file that cannot be read, or is no such file, fails as the case `<file>/file`; the others go on. What an earlier
 * run has saved is passed over.
 *
 * @param folder by default the files that ship with convbase
 * @throws ConvbaseError `verify/empty` for a folder without such files, or with saved ones only; `verify/save` where
 * a file that is no saved one would be replaced
 */
export async function verifyFolder(
  folder: string | undefined,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const root = folder ?? shippedGolden();
  const { only = () => true, save } = options;
  const empty = (what: string): ConvbaseError =>
    new ConvbaseError('verify/empty', what, {
      where: root,
      fix: 'Name a folder that has, or none for those that ship with convbase.',
    });
  const paths = (await listFiles(root, EXTENSION)).filter((path) => only(path.slice(0, -EXTENSION.length)));
  if (paths.length === 0) throw empty(`it has no ${EXTENSION} files of expected values`);
  if (save !== undefined) for (const path of paths) await refuseToReplace(fileInFolder(save, path));
  const failed: string[] = [];
  let cases = 0;
  const report = (result: CaseResult): void => {
    options.signal?.throwIfAborted();
    cases++;
    if (!result.pass) failed.push(result.name);
    options.onCase?.(result);
  };
  for (const path of paths) {
    const source = await openSource(fileInFolder(root, path));
    try {
      const file = open(source, path.slice(0, -EXTENSION.length));
      if (file === 'saved') continue;
      if ('pass' in file) report(file);
      else await verifyOne(file, root, path, options, report);
    } finally {
      source.close();
    }
  }
  if (cases === 0) {
    const models =
      options.precision === 'mixed' ? ' of a model, which are all that is checked in mixed precision' : '';
    throw empty(`it has no case to check${models}: all its files were saved by verify itself, or have none`);
  }
  return { cases, failed };
}

/** What somebody expects must not be lost to what was computed, wherever that is to be saved. */
async function refuseToReplace(path: string): Promise<void> {
  if (!(await isFile(path))) return;
  const source = await openSource(path);
  try {
    if (savedByVerify(source)) return;
  } finally {
    source.close();
  }
  throw new ConvbaseError('verify/save', 'another file is in the way, which may hold expected values', {
    where: path,
    fix: 'Save into another folder.',
  });
}

function savedByVerify(source: ByteSource): boolean {
  return readSafetensors(source).metadata['saved_by'] === SAVED_BY;
}

/** Reads a file of expected values, or says as a failed case why that cannot be done. */
function open(source: ByteSource, name: string): GoldenFile | CaseResult | 'saved' {
  try {
    if (savedByVerify(source)) return 'saved';
    return readGoldenFile(source, name);
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
    return {
      name: `${name}/file`,
      relativeError: {},
      tolerance: {},
      failed: [],
      pass: false,
      error: error.message,
    };
  }
}

async function verifyOne(
  file: GoldenFile,
  root: string,
  path: string,
  { gpu, precision = 'float32', weights = {}, save }: VerifyOptions,
  report: (result: CaseResult) => void,
): Promise<void> {
  const saved = new Map<string, ComputedTensor>();
  const context = {
    gpu,
    precision,
    smallModel: (name: string) => smallModel(root, path, name),
    makeBase: baseMaker(weights),
  };
  for await (const { result, computed } of verifyFile(file, context)) {
    report(result);
    if (save !== undefined) for (const [name, tensor] of computed) saved.set(name, tensor);
  }
  if (save !== undefined) {
    await saveFile(fileInFolder(save, path), writeSafetensors(saved, { saved_by: SAVED_BY }));
  }
}

/** The model saved beside a file: under the name its cases give, or under the file's own. */
async function smallModel(root: string, path: string, name: string): Promise<Model> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const own = path.slice(folder.length, -EXTENSION.length);
  const candidates = [name, own].flatMap((stem) => [`${folder}${stem}.keras`, `${folder}${stem}.h5`]);
  const there = new Set([...(await listFiles(root, '.keras')), ...(await listFiles(root, '.h5'))]);
  const found = candidates.find((candidate) => there.has(candidate));
  if (found !== undefined) return loadModel(fileInFolder(root, found));
  throw new ConvbaseError('verify/no-model', `the model ${name} that it was made with is not beside it`, {
    where: fileInFolder(root, path),
    fix: `Put ${candidates[0] ?? name} there.`,
  });
}

function baseMaker(weights: Readonly<Record<string, string>>): MakeBase {
  return async (name, { includeTop, inputShape, fromFile }) => {
    const file = weights[name];
    if (fromFile && file === undefined) {
      throw new ConvbaseError('verify/no-weights', `it was made with weights from a file`, {
        where: name,
        fix: `Name that file: --weights ${name}=PATH.`,
      });
    }
    if (isApplication(name)) {
      return applications[name].create({ includeTop, inputShape, weights: fromFile ? (file ?? null) : null });
    }
    if (file !== undefined) return loadModel(file, { inputShape });
    throw new ConvbaseError('verify/no-model', `convbase has no model ${name}`, {
      where: name,
      fix: `It has ${Object.keys(applications).join(', ')}; for others name a model file: --weights ${name}=PATH.`,
    });
  };
}
