import {
  fileBeside,
  refuseExisting,
  removeBeside,
  saveFile,
  sha256,
  otherTexts,
  withSaveLock,
} from '#platform';
import { MemorySource } from '../formats/index.ts';

export interface SaveOptions {
  /** Whether a model that is there already is replaced; default true. Else `file/exists` is thrown. */
  readonly overwrite?: boolean;
}

/**
 * Saves files of which the last one, at `path`, names the others, beside it. All of it changes at once, when the last one
 * gets its name: the others have names that nothing of another content has (`contentName`), so that those which are there
 * are whole until then. Afterwards those go that no index names any more, also what a killed process left.
 *
 * @param isOld which names those files have
 * @throws ConvbaseError `file/locked` naming the process that writes there; `disk/full`, `file/..`
 */
export async function saveIndexed(
  path: string,
  files:
    | Iterable<readonly [name: string, bytes: Uint8Array]>
    | AsyncIterable<readonly [name: string, bytes: Uint8Array]>,
  isOld: (name: string) => boolean,
  { overwrite = true }: SaveOptions = {},
): Promise<void> {
  const rest = inTurn(files);
  // What cannot be saved at all is refused before anything is made on disk.
  const first = await rest.next();
  await withSaveLock(path, async () => {
    if (!overwrite) await refuseExisting(path);
    let index: Uint8Array = new Uint8Array();
    for (let next = first; next.done !== true; next = await rest.next()) {
      const [name, bytes] = next.value;
      const file = fileBeside(path, name);
      await saveFile(file, bytes, { overwrite: overwrite || file !== path });
      index = bytes;
    }
    // Another model in the same folder may share files with this one. Where that cannot be seen, all of them stay.
    const others = await otherTexts(path, '.json');
    if (others === undefined) return;
    const indexes = [...others, new TextDecoder().decode(index)];
    await removeBeside(path, (name) => isOld(name) && !indexes.some((text) => text.includes(name)));
  });
}

async function* inTurn<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}

/** What stands for a content in a name: the beginning of its SHA-256. */
export async function contentName(bytes: Uint8Array): Promise<string> {
  return (await sha256([new MemorySource(bytes, 'content')])).slice(0, 12);
}
