import { Model, input } from '@convbase/layers';
import { fileInFolder, isFile, isFolder } from '#platform';
import { isClassifierFile, openClassifierFile, type ClassifierInfo } from '../save/index.ts';
import { openClassifierBase, type ClassifierBaseOptions } from './classifier-base.ts';
import { Classifier } from './classifier.ts';

/** A whole classifier: the model from pictures to classes, and what must be known to use it. */
export interface WholeClassifier {
  readonly model: Model;
  readonly info: ClassifierInfo;
}

/** What a run of fine-tuning calls the classifier in its folder. */
export const CLASSIFIER_FILE = 'classifier.keras';

/**
 * Opens a trained classifier of any form: the file that `saveClassifierFile` saves, a folder with such a file called
 * `classifier.keras`, or the folder with a head for the features of a pretrained model, which is joined with that model.
 *
 * @param options where the pretrained model's weights are, for a folder; a file has its own
 * @throws ConvbaseError `classifier/none` for a model that is no classifier, and those of `openClassifierFile`,
 * `Classifier.load` and `openClassifierBase`
 */
export async function openClassifier(
  path: string,
  options: ClassifierBaseOptions = {},
): Promise<WholeClassifier> {
  const file = await classifierFile(path);
  return file === undefined ? joinClassifier(path, options) : openClassifierFile(file);
}

/** Whether a path is that of a trained classifier: see `openClassifier`. */
export async function isClassifier(path: string): Promise<boolean> {
  const file = await classifierFile(path);
  if (file === undefined) return isFile(fileInFolder(path, 'classifier.json'));
  return (await isFile(file)) && isClassifierFile(file);
}

/** The file that holds all of a classifier; undefined for the folder of a head. */
async function classifierFile(path: string): Promise<string | undefined> {
  if (!(await isFolder(path))) return path;
  const inside = fileInFolder(path, CLASSIFIER_FILE);
  return (await isFile(inside)) ? inside : undefined;
}

/** Puts the head of a classifier's folder behind its base, frozen as it was when the head was trained. */
async function joinClassifier(folder: string, options: ClassifierBaseOptions): Promise<WholeClassifier> {
  const classifier = await Classifier.load(folder);
  const base = await openClassifierBase(classifier, options);
  base.model.trainable = false;
  const { classNames, input: pictures, training } = classifier.config;
  const x = input({ shape: [...pictures.size, 3], name: 'pictures' });
  const y = classifier.head.apply(base.model.apply(x));
  const model = new Model({ inputs: x, outputs: y, name: 'classifier' });
  const history = Object.entries(training.history).map(([name, values]) => {
    return [name, values.map((value) => (Number.isFinite(value) ? value : null))] as const;
  });
  const facts = { ...training, history: Object.fromEntries(history), base: { ...classifier.config.base } };
  return { model, info: { classNames, input: pictures, training: facts } };
}
