import { Zip, ZipPassThrough } from 'fflate';

/** A file of an archive: all its bytes, or piece by piece. */
export type ZipMember = readonly [
  name: string,
  content: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
];

/** Every archive of the same files is the same archive; MS-DOS time knows nothing earlier. */
const TIME = new Date(1980, 0, 1);

/** Writes a zip archive, its files stored as they are, piece by piece and in order. */
export async function* zipFile(members: readonly ZipMember[]): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    ready.push(chunk);
  });
  for (const [name, content] of members) {
    const member = new ZipPassThrough(name);
    member.mtime = TIME;
    zip.add(member);
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      member.push(piece);
      yield* ready.splice(0);
    }
    member.push(new Uint8Array(0), true);
  }
  zip.end();
  yield* ready.splice(0);
}
