export {
  cachedPrefix,
  hasPrefixOutputs,
  type CachedPrefix,
  type PrefixCacheOptions,
  type PrefixReport,
} from './cached-prefix.ts';
