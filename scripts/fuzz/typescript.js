/**
 * For `node --import`: runs TypeScript sources as they are. What they import of one another ends in `.ts`, and types are
 * all that has to go.
 */
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
