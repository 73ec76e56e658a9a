import { createRequire } from 'node:module';
import { readBounded } from '@convbase/base/node';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** Fonts and the program that draws are a few MiB. */
const MAX_BYTES = 2 ** 26;

interface Tools {
  readonly fonts: readonly Uint8Array[];
}

let tools: Promise<Tools> | undefined;

/**
 * Draws an SVG as PNG, `scale` pixels for each of its units. Texts are set in DejaVu Sans, which comes with convbase:
 * a bare machine has no fonts.
 */
export async function pngOf(svg: string, scale = 2): Promise<Uint8Array> {
  const { fonts } = await (tools ??= load());
  const resvg = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: { fontBuffers: [...fonts], defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  });
  const image = resvg.render();
  try {
    return image.asPng();
  } finally {
    image.free();
    resvg.free();
  }
}

async function load(): Promise<Tools> {
  const require = createRequire(import.meta.url);
  await initWasm(await readBounded(require.resolve('@resvg/resvg-wasm/index_bg.wasm'), MAX_BYTES));
  const files = [
    require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
  ];
  return { fonts: await Promise.all(files.map((path) => readBounded(path, MAX_BYTES))) };
}
