/** The entry to WebGPU on this platform. */
export interface GpuEntry {
  readonly requestAdapter: (options: GPURequestAdapterOptions) => Promise<GPUAdapter | null>;
}

/** What a platform may be told before the entry is opened. */
export interface EntryOptions {
  /** Part of the adapter's name. */
  readonly adapter?: string | undefined;
  readonly backend?: 'null' | undefined;
}
