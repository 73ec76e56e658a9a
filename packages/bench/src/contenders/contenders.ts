import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One that takes part in the race. */
export interface Entry {
  /** As in `--contenders` and in results. */
  readonly name: string;
  /** As tables call it. */
  readonly title: string;
  /** npm packages that it needs and that need not be installed. */
  readonly needs: readonly string[];
  /** Work of more floating-point operations is not tried: it would take an age. */
  readonly mostFlops?: number;
  /** Takes part in the full set only, unless it is asked for by name: on a software adapter it takes its time. */
  readonly fullSetOnly?: boolean;
}

const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'] as const;

/** All contenders, convbase first. Each is a program `<name>/main.js` beside this file. */
export const contenders: readonly Entry[] = [
  { name: 'convbase', title: 'convbase', needs: [] },
  { name: 'tfjs-webgpu', title: 'tfjs webgpu', needs: [...tfjs, '@tensorflow/tfjs-backend-webgpu'] },
  { name: 'tfjs-wasm', title: 'tfjs wasm', needs: [...tfjs, '@tensorflow/tfjs-backend-wasm'] },
  { name: 'tfjs-cpu', title: 'tfjs cpu', needs: [...tfjs, '@tensorflow/tfjs-backend-cpu'], mostFlops: 2e7 },
  { name: 'onnxruntime-node', title: 'onnxruntime cpu', needs: ['onnxruntime-node', 'protobufjs'] },
  {
    name: 'onnxruntime-node-webgpu',
    title: 'onnxruntime webgpu',
    needs: ['onnxruntime-node', 'protobufjs'],
    fullSetOnly: true,
  },
  { name: 'onnxruntime-web', title: 'onnxruntime-web webgpu', needs: ['onnxruntime-web', 'protobufjs'] },
];

/** The program of a contender. */
export function contenderFile(name: string): string {
  return fileURLToPath(new URL(`./${name}/main.js`, import.meta.url));
}

/** Which of the packages that a contender needs is not installed. */
export function missingPackage({ needs }: Entry): string | undefined {
  const require = createRequire(import.meta.url);
  return needs.find((name) => {
    try {
      require.resolve(`${name}/package.json`);
      return false;
    } catch (error) {
      // Installed, but it keeps its package.json to itself.
      return (error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    }
  });
}
