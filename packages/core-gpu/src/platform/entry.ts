/** The entry to WebGPU on this platform. */
export interface GpuEntry {
  readonly requestAdapter: (options: GPURequestAdapterOptions) => Promise<GPUAdapter | null>;
  /** Lets go of the entry, so that the process can end. */
  readonly close: () => void;
}

/** What a platform may be told before the entry is opened. */
export interface EntryOptions {
  /** Part of the adapter's name. */
  readonly adapter?: string | undefined;
  readonly backend?: 'null' | undefined;
}
